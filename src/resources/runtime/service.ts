import { defineResource } from "#runtime";
import { z } from "zod";
import { bool, message } from "../encoding.ts";

/** Whether a service of the node runs, and whether it does its work. Id: that of the service. */
export const Service = defineResource({
  type: "Services.v1alpha1.talos.dev",
  namespace: "runtime",
  aliases: ["svc"],
  printColumns: [
    { name: "Running", jsonPath: "{.running}" },
    { name: "Healthy", jsonPath: "{.healthy}" },
    { name: "Health Unknown", jsonPath: "{.unknown}" },
  ],
  spec: z.object({ running: z.boolean(), healthy: z.boolean(), unknown: z.boolean() }),
  encoding: { proto: message({ running: bool(1), healthy: bool(2), unknown: bool(3) }) },
});
