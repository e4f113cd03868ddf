import { defineResource } from "#runtime";
import { z } from "zod";
import { int, message } from "../encoding.ts";

/** Numbers of Talos' enumeration. */
const numbers = { controlplane: 2, worker: 3 } as const;
const encode = message<{ number: number }>({ number: int(1) });

/** Whether this node is a control plane or a worker. Id: `machine-type`. */
export const MachineType = defineResource({
  type: "MachineTypes.config.talos.dev",
  namespace: "config",
  printColumns: [{ name: "Type", jsonPath: "{}" }],
  spec: z.object({ type: z.enum(["controlplane", "worker"]) }),
  encoding: { proto: ({ type }) => encode({ number: numbers[type] }), yaml: ({ type }) => type },
});
