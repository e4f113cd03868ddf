import { defineResource } from "#runtime";
import { z } from "zod";
import { bool, int, message } from "../encoding.ts";

/**
 * Whether the clock can be trusted. Id: `node`. `source` is who was asked: `timesyncd`, `chrony`,
 * `system clock` when nobody is there to ask, `disabled` when the configuration says so, `none`.
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
  }),
  encoding: { proto: message({ synced: bool(1), epoch: int(2), syncDisabled: bool(3) }) },
});
