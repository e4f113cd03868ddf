/** Takes what a kubelet needs to join out of the machine configuration. */
import { loadMachineConfig } from "#config";
import { ACTIVE, KubeletSecrets, MachineConfig } from "#resources";
import { defineController, exclusive, one } from "#runtime";

export const kubeletController = () =>
  defineController({
    name: "secrets.KubeletController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { secrets: exclusive(KubeletSecrets) },

    reconcile({ inputs }) {
      const kubelet = loadMachineConfig(inputs.config.spec.yaml).kubelet();
      return { outputs: { secrets: { kubelet } } };
    },
  });
