/**
 * Errors of the runtime. `code` is API and stable, the message is for people and is not. `TypeError`
 * is for misuse of the API; these are for the world. Kinds follow COSI's state errors (cosi.md §2.1).
 */

/** A failure that the world caused: it has a stable code and crosses the wire. */
export abstract class CodedError extends Error {
  abstract readonly code: string;
  override get name(): string {
    return this.constructor.name;
  }
}

/** Where a resource lives: what `namespace/type/id` names. */
export interface Pointer {
  readonly namespace: string;
  readonly type: string;
  readonly id: string;
}

/** A pointer as COSI prints it: `Type(namespace/id)`. */
export const formatPointer = ({ namespace, type, id }: Pointer): string =>
  `${type}(${namespace}/${id})`;

/** An operation on a resource failed; `pointer` says on which. */
export abstract class ResourceError extends CodedError {
  readonly pointer: Pointer;
  constructor(pointer: Pointer, problem: string, options?: ErrorOptions) {
    super(`resource ${formatPointer(pointer)} ${problem}`, options);
    this.pointer = pointer;
  }
}

export class NotFoundError extends ResourceError {
  readonly code = "ERR_NOT_FOUND";
  constructor(pointer: Pointer) {
    super(pointer, "doesn't exist");
  }
}

/** The write does not fit what is stored. Owner and phase conflicts are conflicts too. */
export class ConflictError extends ResourceError {
  readonly code: string = "ERR_CONFLICT";
}

/** The resource exists already. */
export class AlreadyExistsError extends ConflictError {
  override readonly code = "ERR_ALREADY_EXISTS";
  constructor(pointer: Pointer) {
    super(pointer, "already exists");
  }
}

/** The stored version is not the one that the write was based on. */
export class VersionConflictError extends ConflictError {
  override readonly code = "ERR_VERSION_CONFLICT";
  constructor(pointer: Pointer, stored: number, expected: number) {
    super(pointer, `update conflict: expected version ${expected}, actual version ${stored}`);
  }
}

/** The resource belongs to another owner. */
export class OwnerConflictError extends ConflictError {
  override readonly code = "ERR_OWNER_CONFLICT";
  constructor(pointer: Pointer, owner: string) {
    super(pointer, `is owned by ${JSON.stringify(owner)}`);
  }
}

/** The resource is not in the phase that the write expects. */
export class PhaseConflictError extends ConflictError {
  override readonly code = "ERR_PHASE_CONFLICT";
  constructor(pointer: Pointer, phase: string) {
    super(pointer, `is not in phase ${phase}`);
  }
}

/** The resource still has finalizers. */
export class PendingFinalizersError extends ConflictError {
  override readonly code = "ERR_PENDING_FINALIZERS";
  constructor(pointer: Pointer, finalizers: readonly string[]) {
    super(pointer, `has pending finalizers ${finalizers.join(", ")}`);
  }
}

/** The spec does not fit the schema of its definition. */
export class InvalidSpecError extends ResourceError {
  readonly code = "ERR_INVALID_SPEC";
}

/** The bookmark is unknown, of another store, or older than the history that is kept. */
export class InvalidBookmarkError extends CodedError {
  readonly code = "ERR_INVALID_BOOKMARK";
}

/** The watch fell further behind than its store remembers; list again and go on. */
export class WatchOverrunError extends CodedError {
  readonly code = "ERR_WATCH_OVERRUN";
}

/** This store cannot do that. */
export class UnsupportedError extends CodedError {
  readonly code = "ERR_UNSUPPORTED";
}

/** A controller cannot be registered as declared. */
export class RegistrationError extends CodedError {
  readonly code = "ERR_REGISTRATION";
}

/** A file of a store cannot be used: in use, foreign, newer, damaged, there already, or its disk full. */
export class StoreFileError extends CodedError {
  readonly code:
    | "ERR_STORE_IN_USE"
    | "ERR_STORE_VERSION"
    | "ERR_STORE_DAMAGED"
    | "ERR_STORE_FULL"
    | "ERR_STORE_EXISTS";
  constructor(code: StoreFileError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
