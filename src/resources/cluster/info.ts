import { defineResource } from "#runtime";
import { z } from "zod";
import { message, text } from "../encoding.ts";

/** Which cluster this node belongs to, as its configuration has it. Id: `current`. */
export const ClusterInfo = defineResource({
  type: "Infos.cluster.talos.dev",
  namespace: "cluster",
  printColumns: [
    { name: "Cluster ID", jsonPath: "{.clusterId}" },
    { name: "Cluster Name", jsonPath: "{.clusterName}" },
  ],
  spec: z.object({ clusterId: z.string(), clusterName: z.string() }),
  encoding: { proto: message({ clusterId: text(1), clusterName: text(2) }) },
});
