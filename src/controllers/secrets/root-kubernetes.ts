/** Takes the Kubernetes root, the aggregator root and the service-account key out of the configuration. */
import { firstAddress, isNetwork, loadMachineConfig } from "#config";
import { ACTIVE, KubernetesRoot, MachineConfig } from "#resources";
import { defineController, exclusive, one } from "#runtime";

export const rootKubernetesController = () =>
  defineController({
    name: "secrets.RootKubernetesController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { root: exclusive(KubernetesRoot) },

    reconcile({ inputs }) {
      const config = loadMachineConfig(inputs.config.spec.yaml);
      const root = config.type === "controlplane" ? config.kubernetesRoot() : undefined;
      if (!root) return { outputs: { root: {} } };
      const { serviceSubnets, podSubnets: _pods, ...secrets } = root;
      return {
        outputs: {
          root: {
            k8s: { ...secrets, apiServerIPs: serviceSubnets.filter(isNetwork).map(firstAddress) },
          },
        },
      };
    },
  });
