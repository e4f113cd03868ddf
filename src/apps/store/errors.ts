/** Failures of the bare server. */
import { CodedError } from "#runtime";

/** The address is none that a server without TLS listens on. */
export class StoreAddressError extends CodedError {
  readonly code = "ERR_STORE_ADDRESS";
}

/** The text names no store. */
export class StoreLocationError extends CodedError {
  readonly code = "ERR_STORE_LOCATION";
}

/** The store has secrets in it, and whoever connects could read them. */
export class SensitiveStoreError extends CodedError {
  readonly code = "ERR_STORE_SENSITIVE";
  readonly hint =
    "name a file of its own, which is made when it is missing; trustplane get reads from a node";
}

/** A server cannot have its address. */
export class StoreListenError extends CodedError {
  readonly code = "ERR_STORE_LISTEN";
  readonly hint: string | undefined;
  constructor(message: string, options?: ErrorOptions & { readonly hint?: string | undefined }) {
    super(message, options);
    this.hint = options?.hint;
  }
}
