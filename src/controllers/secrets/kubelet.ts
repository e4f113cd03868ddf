/** Takes what a kubelet needs to join out of the machine configuration. */
import { ACTIVE, KubeletSecrets, MachineConfig } from "#resources";
import { defineController, exclusive, one } from "#runtime";
import { readStored } from "../stored-config.ts";

export const kubeletController = () =>
  defineController({
    name: "secrets.KubeletController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { secrets: exclusive(KubeletSecrets) },

    reconcile({ inputs }) {
      const config = readStored(inputs.config);
      if (!config) return;
      return { outputs: { secrets: { kubelet: config.kubelet() } } };
    },
  });
