/** The store over gRPC: `cosi.resource.State` on the wire of COSI. */
export { callOf, failure, unary, serverStream } from "./call.ts";
export type {
  Admission,
  Answer,
  Beginning,
  Call,
  CallOptions,
  Settlement,
  Sink,
  Stream,
  UnaryCall,
} from "./call.ts";
export { isOpaqueSpec, opaqueSpec } from "./opaque.ts";
export type { OpaqueSpec } from "./opaque.ts";
export { stateServer } from "./state-server.ts";
export type { StateServerOptions } from "./state-server.ts";
export { stateMethods } from "./state-methods.ts";
export type { Access, AccessPolicy, StateMethods, StateSource } from "./state-methods.ts";
export { StateService } from "./service.ts";
export { AccessDeniedError, InvalidRequestError, runtimeStatuses, statusOf } from "./status.ts";
export type { CallStatus, StatusCode, StatusRow, StatusTable } from "./status.ts";
export { lookupOf, resourceBytes } from "./wire.ts";
export type { KindLookup, ResourceBytes } from "./wire.ts";
export { yamlText } from "./yaml.ts";
export { StateClient, EventType } from "./gen/v1alpha1/state.ts";
export type { Event, WatchResponse } from "./gen/v1alpha1/state.ts";
export type { Resource as WireResource } from "./gen/v1alpha1/resource.ts";
