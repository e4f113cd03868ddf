/** What the carrier of a call itself refuses. */
import type { CallStatus, StatusCode } from "../status.ts";

/** A call that fails with a status before a method has a part in it. */
export class CallError extends Error implements CallStatus {
  readonly code: StatusCode;
  constructor(code: StatusCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get details(): string {
    return this.message;
  }
}
