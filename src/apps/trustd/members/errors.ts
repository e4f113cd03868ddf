/** Failures of tokens and members, and their place among the gRPC statuses. */
import { CodedError } from "#runtime";
import type { StatusTable } from "#runtime/rpc";
import { status } from "@grpc/grpc-js";

/** A certificate is of no member that is on record. */
export class NotAMemberError extends CodedError {
  readonly code = "ERR_NOT_A_MEMBER";
}

/** A member says of itself what it is not on record as. */
export class ReportRefusedError extends CodedError {
  readonly code = "ERR_REPORT_REFUSED";
}

/** A member reports, watches or renews more than there is any use in. */
export class MemberBusyError extends CodedError {
  readonly code = "ERR_MEMBER_BUSY";
}

/** No member on record goes by that name, address or id. */
export class MemberUnknownError extends CodedError {
  readonly code = "ERR_MEMBER_UNKNOWN";
}

/** The member cannot be taken off the record. */
export class MemberKeptError extends CodedError {
  readonly code = "ERR_MEMBER_KEPT";
}

/** No join token has that id. */
export class TokenUnknownError extends CodedError {
  readonly code = "ERR_TOKEN_UNKNOWN";
}

/** Statuses of these errors. */
export const memberStatuses: StatusTable = {
  ERR_NOT_A_MEMBER: { status: status.PERMISSION_DENIED },
  ERR_REPORT_REFUSED: { status: status.PERMISSION_DENIED },
  ERR_MEMBER_BUSY: { status: status.RESOURCE_EXHAUSTED },
  ERR_MEMBER_UNKNOWN: { status: status.NOT_FOUND },
  ERR_MEMBER_KEPT: { status: status.FAILED_PRECONDITION },
  ERR_TOKEN_UNKNOWN: { status: status.NOT_FOUND },
};
