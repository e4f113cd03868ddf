/** Tells in events of configurations that were refused. */
import { CodedError } from "#runtime";
import type { EventLog } from "./event-log.ts";

/** What could not even be read; whatever else is wrong with a configuration is found by its checks. */
const UNREADABLE: ReadonlySet<string> = new Set([
  "ERR_CONFIG_PARSE",
  "ERR_CONFIG_UNKNOWN_DOCUMENT",
  "ERR_CONFIG_DUPLICATE_DOCUMENT",
  "ERR_CONFIG_INCOMPLETE",
]);
const INVALID: ReadonlySet<string> = new Set(["ERR_CONFIG_INVALID", "ERR_CONFIG_REFUSED"]);

/**
 * Runs what takes up a configuration.
 *
 * @throws what it throws
 */
export async function tellingRefusals<T>(events: EventLog, takeUp: () => Promise<T>): Promise<T> {
  try {
    return await takeUp();
  } catch (error) {
    if (error instanceof CodedError) {
      const told = { error: error.message };
      if (UNREADABLE.has(error.code)) events.publish("ConfigLoadErrorEvent", told);
      if (INVALID.has(error.code)) events.publish("ConfigValidationErrorEvent", told);
    }
    throw error;
  }
}
