/**
 * Takes the Kubernetes root, the aggregator root and the service-account key out of the configuration;
 * where one of them is damaged, what is held is not replaced.
 */
import { firstAddress, isNetwork, type MachineConfig as Config } from "#config";
import { readPrivateKey } from "#pki";
import { ACTIVE, KubernetesRoot, MachineConfig } from "#resources";
import { defineController, exclusive, one } from "#runtime";
import { derived, versionOf } from "../config-version.ts";
import { isUsable, readable } from "../readable.ts";
import { readStored } from "../stored-config.ts";

export const rootKubernetesController = () =>
  defineController({
    name: "secrets.RootKubernetesController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { root: exclusive(KubernetesRoot) },

    reconcile({ inputs, held }) {
      const config = readStored(inputs.config);
      if (!config) return;
      if (config.type !== "controlplane") return { outputs: { root: {} } };
      const root = config.kubernetesRoot();
      if (held.root.k8s && !isSound(root)) return;
      if (!root) return { outputs: { root: {} } };
      const { serviceSubnets, podSubnets: _pods, ...secrets } = root;
      const apiServerIPs = serviceSubnets.filter(isNetwork).map(firstAddress);
      const k8s = derived({ ...secrets, apiServerIPs }, versionOf(inputs.config));
      return { outputs: { root: { k8s } } };
    },
  });

/** Whether everything in it that issues or signs can be read. */
const isSound = (root: ReturnType<Config["kubernetesRoot"]>): boolean =>
  root !== undefined &&
  isUsable(root.issuingCA) &&
  isUsable(root.aggregatorCA) &&
  readable(() => readPrivateKey(root.serviceAccount.key)) !== undefined;
