/** Tells which cluster the configuration puts this node in. */
import { ACTIVE, ClusterInfo, MachineConfig } from "#resources";
import { defineController, exclusive, one } from "#runtime";
import { readStored } from "../stored-config.ts";

export const clusterInfoController = () =>
  defineController({
    name: "cluster.InfoController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { info: exclusive(ClusterInfo) },

    reconcile({ inputs }) {
      const config = readStored(inputs.config);
      if (!config) return;
      const { clusterIdentity, clusterName } = config;
      return { outputs: { info: { current: { clusterId: clusterIdentity.id, clusterName } } } };
    },
  });
