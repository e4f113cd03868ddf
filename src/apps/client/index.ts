/** The client of apid, which the command line and the tests use. */
export { connect } from "./client.ts";
export type { CallOptions, Client, ClientOptions, Container, Place } from "./client.ts";
export type { FileEntry, FileQuery, FileType } from "./file-calls.ts";
export type { NodeTime } from "./status-calls.ts";
export type {
  ApplyMode,
  ClientConfiguration,
  Dependency,
  DependencyEdge,
  NodeVersion,
} from "./machine-calls.ts";
export type { ClientEvent, EventsRequest, Happening, Told } from "./event-calls.ts";
export type { RebootMode } from "./lifecycle-calls.ts";
export type { LogRequest } from "./log-calls.ts";
export type { ListedMember, ListedToken, NewToken, RemovedMember } from "./member-calls.ts";
export type { NodeService } from "./service-calls.ts";
export { connectInsecurely } from "./insecure.ts";
export type { InsecureOptions } from "./insecure.ts";
export { formatEndpoint, parseEndpoint } from "./endpoint.ts";
export type { Endpoint } from "./endpoint.ts";
export {
  CallFailedError,
  CertificateProblemError,
  EndpointInvalidError,
  FingerprintMismatchError,
  UnreachableError,
} from "./errors.ts";
export type { CertificateProblem } from "./errors.ts";
export { endsSoon } from "./own-certificate.ts";
export type { Identity } from "./own-certificate.ts";
export { ReplyError } from "./resource.ts";
export type { RemoteEvent, RemoteMetadata, RemoteResource } from "./resource.ts";
