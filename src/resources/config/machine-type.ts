import { defineResource } from "#runtime";
import { z } from "zod";

/** Whether this node is a control plane or a worker. Id: `machine-type`. */
export const MachineType = defineResource({
  type: "MachineTypes.config.talos.dev",
  namespace: "config",
  printColumns: [{ name: "Type", jsonPath: "{}" }],
  spec: z.object({ type: z.enum(["controlplane", "worker"]) }),
  encoding: { yaml: ({ type }) => type },
});
