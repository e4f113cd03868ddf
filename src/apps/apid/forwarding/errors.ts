/** What became of a request that was passed on. */
import { CodedError } from "#runtime";
import type { StatusTable } from "#runtime/rpc";
import { status, type ServiceError } from "@grpc/grpc-js";

type StatusName = keyof typeof status;

/** Another node's refusal or failure, with its status and words. */
export class NodeAnsweredError extends CodedError {
  readonly code: `ERR_NODE_${StatusName}`;
  constructor(name: StatusName, details: string, options?: ErrorOptions) {
    super(details, options);
    this.code = `ERR_NODE_${name}`;
  }
}

/** The other node cannot be talked to. */
export class NodeUnreachedError extends CodedError {
  readonly code = "ERR_NODE_UNREACHED";
  readonly node: string;
  readonly reason: string | undefined;
  /** @param reason left out where it is nothing for who asks */
  constructor(node: string, reason?: string, options?: ErrorOptions) {
    super(`node ${node} cannot be reached${reason === undefined ? "" : `: ${reason}`}`, options);
    this.node = node;
    this.reason = reason;
  }
}

/** The other node took the call, and does not answer. */
export class NodeLateError extends CodedError {
  readonly code = "ERR_NODE_LATE";
  constructor(node: string, duration: number) {
    super(`node ${node} did not answer within ${duration / 1000} s`);
  }
}

/** What is meant to name a node cannot. */
export class NodeNameError extends CodedError {
  readonly code = "ERR_NODE_NAME";
}

const names = Object.keys(status).filter((name): name is StatusName => Number.isNaN(Number(name)));

/** Each status of a node as it came; one that cannot be reached is unavailable. */
export const forwardingStatuses: StatusTable = {
  ...Object.fromEntries(names.map((name) => [`ERR_NODE_${name}`, { status: status[name] }])),
  ERR_NODE_UNREACHED: { status: status.UNAVAILABLE },
  ERR_NODE_LATE: { status: status.DEADLINE_EXCEEDED },
  ERR_NODE_NAME: { status: status.INVALID_ARGUMENT },
};

/** The library's words for a connection that could not be made. */
const notConnected =
  /^No connection established\. Last error: (?:Error: )?(.*?)(?: \(\d{4}-\d\d-\d\dT[^)]*\))?\.?(?: Resolution note: .*)?$/s;

/** Why a call that was passed on failed. */
export function failureOf(error: unknown, node: string): unknown {
  const { code, details } = error as Partial<ServiceError>;
  if (code === undefined || details === undefined) return error;
  const [, reason] = notConnected.exec(details) ?? [];
  if (reason !== undefined) return new NodeUnreachedError(node, reason, { cause: error });
  const name = names.find((known) => status[known] === code) ?? "UNKNOWN";
  return new NodeAnsweredError(name, details, { cause: error });
}
