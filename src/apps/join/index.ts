/** How a node becomes a member of a cluster, and stays one. */
export { type AskOptions, certificateAsker } from "./ask.ts";
export {
  AnswerRefusedError,
  CallFailureError,
  NotIssuedError,
  NotLeftError,
  TokenRefusedError,
} from "./errors.ts";
export { type GrpcOptions, grpcSigners, grpcWatch } from "./grpc.ts";
export { clusterLeave, type LeaveOptions } from "./leave.ts";
export { keepMembership, type MembershipOptions } from "./membership.ts";
export type { CallSigner, SignerCall, SignerMethod, WatchCall, WatchSigner } from "./port.ts";
