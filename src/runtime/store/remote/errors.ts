/** What a server's statuses mean to the caller of a store (cosi.md §5.5, read backwards). */
import { status, type ServiceError } from "@grpc/grpc-js";
import {
  AlreadyExistsError,
  CodedError,
  ConflictError,
  InvalidBookmarkError,
  NotFoundError,
  OwnerConflictError,
  PendingFinalizersError,
  PhaseConflictError,
  UnsupportedError,
  VersionConflictError,
} from "../../errors.ts";
import { StoreClosedError } from "../closed.ts";
import { pointerOf } from "../preconditions.ts";
import type { Write } from "../store.ts";

/** The server of a store cannot be reached. */
export class StoreUnreachableError extends CodedError {
  readonly code = "ERR_STORE_UNREACHABLE";
}

/** The server of a store failed, or refused, for a reason that is none of the store. */
export class RemoteStoreError extends CodedError {
  readonly code = "ERR_STORE_REMOTE";
}

const general: Readonly<Partial<Record<status, (message: string, cause: unknown) => CodedError>>> =
  {
    [status.UNAVAILABLE]: (message, cause) => new StoreUnreachableError(message, { cause }),
    [status.UNIMPLEMENTED]: (message, cause) => new UnsupportedError(message, { cause }),
  };

export const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && "code" in error && typeof error.code === "number";

/** An error of a call, whatever it was about. */
export function callError(error: unknown, isClosed: boolean): unknown {
  if (isClosed) return new StoreClosedError();
  if (!isServiceError(error)) return error;
  const message = `the store's server: ${error.details || error.message}`;
  return general[error.code]?.(message, error) ?? new RemoteStoreError(message, { cause: error });
}

/** An error of a watch that was to begin or to go on. */
export const watchError = (error: unknown, isClosed: boolean): unknown =>
  isServiceError(error) && error.code === status.FAILED_PRECONDITION
    ? new InvalidBookmarkError(error.details, { cause: error })
    : callError(error, isClosed);

type Meaning<W extends Write = Write> = (
  write: W,
  details: string,
) => ConflictError | NotFoundError;

const missing: Meaning = (write) => new NotFoundError(pointerOf(write));
const owned: Meaning = (write, details) =>
  new OwnerConflictError(pointerOf(write), /is owned by "(.*)"$/s.exec(details)?.[1] ?? "");

/** By operation and status; which statuses an operation has is settled by COSI's client. */
const meanings: Readonly<Record<Write["op"], Readonly<Partial<Record<status, Meaning>>>>> = {
  create: {
    [status.NOT_FOUND]: missing,
    [status.PERMISSION_DENIED]: owned,
    [status.ALREADY_EXISTS]: (write) => new AlreadyExistsError(pointerOf(write)),
  },
  update: {
    [status.NOT_FOUND]: missing,
    [status.PERMISSION_DENIED]: owned,
    [status.INVALID_ARGUMENT]: (write) =>
      new PhaseConflictError(
        pointerOf(write),
        write.op === "update" ? (write.expectedPhase ?? "running") : "running",
      ),
    [status.FAILED_PRECONDITION]: (write, details) => versionConflict(write, details),
  },
  destroy: {
    [status.NOT_FOUND]: missing,
    [status.PERMISSION_DENIED]: owned,
    [status.FAILED_PRECONDITION]: (write, details) =>
      new PendingFinalizersError(
        pointerOf(write),
        (/pending finalizers \[?(.*?)\]?$/s.exec(details)?.[1] ?? "").split(/, | /),
      ),
  },
};

/** The stored version stands in the message of our server, and of COSI's. */
function versionConflict(write: Write, details: string): VersionConflictError {
  const stored = Number(/actual version "?(\d+)/.exec(details)?.[1] ?? Number.NaN);
  const expected = write.op === "update" ? write.resource.metadata.version : 0;
  return new VersionConflictError(pointerOf(write), stored, expected);
}

/** An error of a write. */
export function writeError(error: unknown, write: Write, isClosed: boolean): unknown {
  const meaning = isServiceError(error) ? meanings[write.op][error.code] : undefined;
  return meaning !== undefined && isServiceError(error)
    ? meaning(write, error.details)
    : callError(error, isClosed);
}
