/** Why a node has not got a certificate, in words that say what to do. */
import { CodedError } from "#runtime";
import { status } from "@grpc/grpc-js";

/** Somebody who was called has not done what was asked. */
export class CallFailureError extends CodedError {
  readonly code = "ERR_SIGNER_CALL";
  /** A number of `google.rpc.Code`; unavailable where nobody answered. */
  readonly status: status;
  constructor(code: status, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.status = code;
  }
}

/** Nobody who was asked has issued anything; each is named, with its reason. */
export class NotIssuedError extends CodedError {
  readonly code = "ERR_NOT_ISSUED";
}

/** The token is none with which this node may join. */
export class TokenRefusedError extends CodedError {
  readonly code = "ERR_TOKEN_REFUSED";
  constructor(reasons: string) {
    super(
      `${reasons}: put a token that is good into machine.token of this node's configuration (on a ` +
        "control plane, trustplane token create makes one), and start the node once with " +
        "--config FILE --config-overwrite",
    );
  }
}

/** What was answered is not what was asked for, or not to be believed. */
export class AnswerRefusedError extends CodedError {
  readonly code = "ERR_ANSWER_REFUSED";
}

/** No control plane was told that the node leaves. */
export class NotLeftError extends CodedError {
  readonly code = "ERR_NOT_LEFT";
  constructor(reasons: string) {
    super(reasons || "no control plane is known");
  }
}

/** Statuses that stay the same when the same is asked again. */
const FINAL: readonly status[] = [
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
];

/** Statuses of who does not keep its nodes on record: Talos' trustd, and one without a cluster store. */
const RECORDLESS: readonly status[] = [status.UNIMPLEMENTED, status.FAILED_PRECONDITION];

/** Whether it would be refused again. */
export const isFinal = (error: unknown): boolean =>
  error instanceof CallFailureError && FINAL.includes(error.status);

/** Whether another way of asking is there for such a signer. */
export const isRecordless = (error: unknown): boolean =>
  error instanceof CallFailureError && RECORDLESS.includes(error.status);

/** Whether the caller is not known, or not let in, as who it says it is. */
export const isUnknownCaller = (error: unknown): boolean =>
  error instanceof CallFailureError &&
  (error.status === status.UNAUTHENTICATED || error.status === status.PERMISSION_DENIED);

/** How a control plane begins to tell that a token is spent, has ended or was revoked. */
const BY_TOKEN_RULE = 'refused by the rule "token":';

/** Whether the token is at fault. */
export const isTokenRefusal = (error: unknown): boolean =>
  error instanceof CallFailureError &&
  (error.status === status.UNAUTHENTICATED ||
    (error.status === status.PERMISSION_DENIED && error.message.includes(BY_TOKEN_RULE)));
