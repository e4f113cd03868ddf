/** What operations of a closed store fail with. */
import { CodedError } from "../errors.ts";

/** The store was closed. */
export class StoreClosedError extends CodedError {
  readonly code = "ERR_STORE_CLOSED";
  constructor() {
    super("the store is closed");
  }
}
