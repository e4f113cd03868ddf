/** Errors between controllers and their engine. */
import { CodedError, formatPointer, type Pointer } from "./errors.ts";
import type { Instant } from "./instant.ts";

/** A controller reaches for something that it did not declare (cosi.md §6.3). */
export class ControllerAccessError extends CodedError {
  readonly code = "ERR_CONTROLLER_ACCESS";
  constructor({ namespace, type, id }: Pointer, controller: string, what: string) {
    const where = formatPointer({ namespace, type, id });
    super(`controller ${JSON.stringify(controller)} may not ${what} ${where}: it is not declared`);
  }
}

/** Thrown by `reconcile`: it failed, and is to be tried again at that instant, not after a backoff. */
export class RetryAtError extends CodedError {
  readonly code = "ERR_RETRY_AT";
  readonly retryAt: Instant;
  constructor(retryAt: Instant, message: string, options?: ErrorOptions) {
    super(message, options);
    this.retryAt = retryAt;
  }
}
