/**
 * `trustplane.v1.NodeService` for nodes that joined. Who a call is about is said by the certificate that its
 * connection was opened with; it is for this node alone and is never passed on.
 */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  AccessDeniedError,
  InvalidRequestError,
  serverStream,
  unary,
  type Call,
  type CallOptions,
} from "#runtime/rpc";
import type {
  RenewNodeRequest,
  RenewNodeResponse,
  ReportRequest,
  ReportResponse,
  WatchNodeRequest,
  WatchNodeResponse,
} from "../rpc/gen/node/node.ts";
import type { Empty } from "../rpc/gen/google/protobuf/empty.ts";
import type { Membership } from "../trustd/membership.ts";
import type { MemberAsker, Signer } from "../trustd/signer.ts";
import type { Caller } from "./caller.ts";
import { NODE } from "./roles.ts";

/** What the service asks of its node; what is left out is not served. */
export interface MemberPorts {
  readonly renewNode?: Signer["renew"];
  readonly membership?: Membership;
}

interface ServiceOptions extends CallOptions {
  readonly callerAt: (peer: string) => Caller | undefined;
}

/** `Join` is not among them: who asks for that has no certificate, and trustd listens for it. */
export const nodeMethods = (
  { renewNode, membership }: MemberPorts,
  options: ServiceOptions,
): UntypedServiceImplementation => {
  const askerOf = (call: Call) => theNodeItself(call, options);
  return {
    ...(renewNode && {
      renew: unary<RenewNodeRequest, RenewNodeResponse>(
        (request, call) => renewNode(askerOf(call), request),
        options,
      ),
    }),
    ...(membership && {
      report: unary<ReportRequest, ReportResponse>(
        (request, call) => membership.report(askerOf(call), request),
        options,
      ),
      watch: serverStream<WatchNodeRequest, WatchNodeResponse>(async (_, sink, call) => {
        for await (const message of membership.watch(askerOf(call), sink.signal))
          await sink.send(message);
      }, options),
      leave: unary<Empty, Empty>(async (_, call) => {
        await membership.leave(askerOf(call));
        return {};
      }, options),
    }),
  };
};

/**
 * @throws {AccessDeniedError} for one that has the role by saying so, as nodes that pass requests on do
 * @throws {InvalidRequestError} when it names nodes
 */
function theNodeItself(call: Call, { callerAt }: ServiceOptions): MemberAsker {
  const caller = callerAt(call.peer);
  if (!caller?.roles.has(NODE)) throw new AccessDeniedError("not authorized");
  if (["node", "nodes"].some((name) => call.header(name).some((value) => value !== "")))
    throw new InvalidRequestError(`${call.path} is about the caller: it names no node`);
  return { peer: call.peer, certificate: caller.certificate };
}
