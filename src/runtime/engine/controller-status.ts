/** The kind that says how controllers are doing. */
import { z } from "zod";
import { defineResource } from "../resource.ts";

/** How a controller is doing; its id is the name of the controller. */
export const ControllerStatus = defineResource({
  type: "ControllerStatuses.runtime.trustplane.dev",
  namespace: "runtime",
  printColumns: [
    { name: "State", jsonPath: "{.state}" },
    { name: "Waiting For", jsonPath: "{.waitingFor}" },
    { name: "Error", jsonPath: "{.error.message}" },
  ],
  spec: z.object({
    /** A queued controller fails when one of its items does, and waits when one of them does. */
    state: z.enum(["ready", "waiting", "failing"]),
    /** The input that is missing or not ready; empty when it waits for nothing. */
    waitingFor: z.string(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    /** How many tries have failed in a row. */
    attempt: z.int(),
    /** RFC 3339; empty unless it fails. */
    nextTry: z.string(),
    /**
     * Why it ran when this was written: the input that changed, as `Type(namespace/id)`, or `start`,
     * `wake-up`, `retry`. It is no reason to write by itself.
     */
    lastReason: z.string().default(""),
  }),
});
