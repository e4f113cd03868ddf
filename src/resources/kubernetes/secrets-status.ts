import { defineResource } from "#runtime";
import { z } from "zod";
import { bool, message, text } from "../encoding.ts";

/** Whether the files of the control plane's static pods are in place. Id: `static-pods`. */
export const SecretsStatus = defineResource({
  type: "SecretStatuses.kubernetes.talos.dev",
  namespace: "controlplane",
  printColumns: [
    { name: "Ready", jsonPath: "{.ready}" },
    { name: "Secrets Version", jsonPath: "{.version}" },
  ],
  spec: z.object({ ready: z.boolean(), version: z.string() }),
  encoding: { proto: message({ ready: bool(1), version: text(2) }) },
});
