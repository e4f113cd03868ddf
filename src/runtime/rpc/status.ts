/** The one place where errors become gRPC statuses (cosi.md §5.5). */
import { status } from "@grpc/grpc-js";
import {
  CodedError,
  type AlreadyExistsError,
  type InvalidBookmarkError,
  type InvalidSpecError,
  type NotFoundError,
  type OwnerConflictError,
  type PendingFinalizersError,
  type PhaseConflictError,
  type RegistrationError,
  type StoreFileError,
  type UnsupportedError,
  type VersionConflictError,
  type WatchOverrunError,
} from "../errors.ts";
import type { ControllerAccessError, RetryAtError } from "../controller-errors.ts";
import type { StoreClosedError } from "../store/index.ts";

/** The caller may not do that. */
export class AccessDeniedError extends CodedError {
  readonly code = "ERR_ACCESS_DENIED";
}

/** The request itself is at fault, whatever is stored. */
export class InvalidRequestError extends CodedError {
  readonly code = "ERR_INVALID_REQUEST";
}

/** A number of `google.rpc.Code`. */
export type StatusCode = status;

/** Which status an error code has, in general and for the methods where it differs. */
export interface StatusRow {
  readonly status: StatusCode;
  readonly except?: Readonly<Record<string, StatusCode>>;
}

/** Rows by error code. */
export type StatusTable = Readonly<Record<string, StatusRow>>;

type KnownError =
  | AccessDeniedError
  | AlreadyExistsError
  | ControllerAccessError
  | InvalidBookmarkError
  | InvalidRequestError
  | InvalidSpecError
  | NotFoundError
  | OwnerConflictError
  | PendingFinalizersError
  | PhaseConflictError
  | RegistrationError
  | RetryAtError
  | StoreClosedError
  | StoreFileError
  | UnsupportedError
  | VersionConflictError
  | WatchOverrunError;

/** Every error of the runtime. On Update, clients read INVALID_ARGUMENT as a phase conflict. */
export const runtimeStatuses = {
  ERR_NOT_FOUND: { status: status.NOT_FOUND, except: { Watch: status.UNKNOWN } },
  ERR_ALREADY_EXISTS: { status: status.ALREADY_EXISTS },
  ERR_CONFLICT: { status: status.FAILED_PRECONDITION, except: { Create: status.ALREADY_EXISTS } },
  ERR_VERSION_CONFLICT: { status: status.FAILED_PRECONDITION },
  ERR_OWNER_CONFLICT: { status: status.PERMISSION_DENIED },
  ERR_PHASE_CONFLICT: {
    status: status.FAILED_PRECONDITION,
    except: { Update: status.INVALID_ARGUMENT },
  },
  ERR_PENDING_FINALIZERS: { status: status.FAILED_PRECONDITION },
  ERR_INVALID_SPEC: { status: status.INVALID_ARGUMENT, except: { Update: status.UNKNOWN } },
  ERR_INVALID_BOOKMARK: { status: status.FAILED_PRECONDITION },
  ERR_WATCH_OVERRUN: { status: status.RESOURCE_EXHAUSTED },
  ERR_UNSUPPORTED: { status: status.UNIMPLEMENTED },
  ERR_REGISTRATION: { status: status.UNKNOWN },
  ERR_CONTROLLER_ACCESS: { status: status.UNKNOWN },
  ERR_RETRY_AT: { status: status.UNKNOWN },
  ERR_STORE_CLOSED: { status: status.UNAVAILABLE },
  ERR_STORE_IN_USE: { status: status.UNKNOWN },
  ERR_STORE_VERSION: { status: status.UNKNOWN },
  ERR_STORE_DAMAGED: { status: status.DATA_LOSS },
  ERR_STORE_FULL: { status: status.RESOURCE_EXHAUSTED },
  ERR_STORE_EXISTS: { status: status.UNKNOWN },
  ERR_ACCESS_DENIED: { status: status.PERMISSION_DENIED },
  ERR_INVALID_REQUEST: { status: status.INVALID_ARGUMENT, except: { Update: status.UNKNOWN } },
} as const satisfies Record<KnownError["code"] | "ERR_CONFLICT", StatusRow>;

/** What a call ends with. */
export interface CallStatus {
  readonly code: StatusCode;
  readonly details: string;
}

/** Details travel as a header, and clients take 8 KiB of headers at least. */
const DETAILS_UNITS_MAX = 2048;

/**
 * The status of an error in a method. What is in no table is UNKNOWN, and tells nothing: its message
 * was not written for the caller.
 *
 * @param method name without the service, like `Update`
 */
export function statusOf(
  error: unknown,
  method: string,
  tables: readonly StatusTable[] = [runtimeStatuses],
): CallStatus {
  if (!(error instanceof CodedError)) return { code: status.UNKNOWN, details: "internal error" };
  const row = tables.map((table) => table[error.code]).find((found) => found !== undefined);
  return {
    code: row?.except?.[method] ?? row?.status ?? status.UNKNOWN,
    details: shortened(error.message),
  };
}

const shortened = (text: string): string =>
  text.length > DETAILS_UNITS_MAX ? `${text.slice(0, DETAILS_UNITS_MAX)}…`.toWellFormed() : text;
