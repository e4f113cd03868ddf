import { defineResource } from "#runtime";
import { z } from "zod";
import { bool, int, message } from "../encoding.ts";

/**
 * Whether the clock can be trusted. Id: `node`. `source` is who was asked: `timesyncd`, `chrony`,
 * `system clock` when nobody is there to ask, `disabled` when the configuration says so, `none`. The
 * epoch goes up with each step of 15 minutes or more; `lastStep` is the last one of any size since the
 * node started.
 */
export const TimeStatus = defineResource({
  type: "TimeStatuses.v1alpha1.talos.dev",
  namespace: "runtime",
  printColumns: [{ name: "Synced", jsonPath: "{.synced}" }],
  spec: z.object({
    synced: z.boolean(),
    epoch: z.number(),
    syncDisabled: z.boolean(),
    source: z.string(),
    lastStep: z
      .object({
        /** When it was noticed, by the clock as it was set: RFC 3339. */
        at: z.string(),
        /** Negative when the clock was set back. */
        seconds: z.number(),
      })
      .optional(),
  }),
  encoding: { proto: message({ synced: bool(1), epoch: int(2), syncDisabled: bool(3) }) },
});
