/** Tells whether the configuration makes this node a control plane or a worker. */
import { ACTIVE, MachineConfig, MachineType } from "#resources";
import { defineController, exclusive, one } from "#runtime";
import { readStored } from "../stored-config.ts";

export const machineTypeController = () =>
  defineController({
    name: "config.MachineTypeController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { type: exclusive(MachineType) },

    reconcile({ inputs }) {
      const config = readStored(inputs.config);
      if (!config) return;
      return { outputs: { type: { "machine-type": { type: config.type } } } };
    },
  });
