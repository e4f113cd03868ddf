import { defineResource } from "#runtime";
import { z } from "zod";
import { message, text } from "../encoding.ts";

/** The random id (`[0-9a-z]{44}`) that this state directory was given at its first start. Id: `local`. */
export const Identity = defineResource({
  type: "Identities.cluster.talos.dev",
  namespace: "cluster",
  printColumns: [{ name: "ID", jsonPath: "{.nodeId}" }],
  spec: z.object({ nodeId: z.string() }),
  encoding: { proto: message({ nodeId: text(1) }) },
});
