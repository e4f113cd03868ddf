/** The store over gRPC: `cosi.resource.State` on the wire of COSI. */
export { unary, serverStream } from "./call.ts";
export type { Admission, Call, CallOptions, Sink } from "./call.ts";
export { stateServer } from "./state-server.ts";
export type { Access, AccessPolicy, StateServerOptions } from "./state-server.ts";
export { AccessDeniedError, InvalidRequestError, runtimeStatuses, statusOf } from "./status.ts";
export type { CallStatus, StatusCode, StatusRow, StatusTable } from "./status.ts";
export { lookupOf, wireEvent, wireResource } from "./wire.ts";
export type { KindLookup } from "./wire.ts";
export { yamlText } from "./yaml.ts";
export { StateClient, StateService, EventType } from "./gen/v1alpha1/state.ts";
export type { Event, StateServer, WatchResponse } from "./gen/v1alpha1/state.ts";
export type { Resource as WireResource } from "./gen/v1alpha1/resource.ts";
