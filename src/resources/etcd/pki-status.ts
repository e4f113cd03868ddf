import { defineResource } from "#runtime";
import { z } from "zod";
import { bool, message, text } from "../encoding.ts";

/** Whether etcd's files are in place. Id: `etcd`. */
export const PKIStatus = defineResource({
  type: "PKIStatuses.etcd.talos.dev",
  namespace: "etcd",
  printColumns: [
    { name: "Ready", jsonPath: "{.ready}" },
    { name: "Secrets Version", jsonPath: "{.version}" },
  ],
  spec: z.object({ ready: z.boolean(), version: z.string() }),
  encoding: { proto: message({ ready: bool(1), version: text(2) }) },
});
