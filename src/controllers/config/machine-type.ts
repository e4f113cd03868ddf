/** Tells whether the configuration makes this node a control plane or a worker. */
import { loadMachineConfig } from "#config";
import { ACTIVE, MachineConfig, MachineType } from "#resources";
import { defineController, exclusive, one } from "#runtime";

export const machineTypeController = () =>
  defineController({
    name: "config.MachineTypeController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { type: exclusive(MachineType) },

    reconcile({ inputs }) {
      const { type } = loadMachineConfig(inputs.config.spec.yaml);
      return { outputs: { type: { "machine-type": { type } } } };
    },
  });
