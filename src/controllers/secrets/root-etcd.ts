/** Takes the etcd root out of a control plane's configuration. */
import { loadMachineConfig } from "#config";
import { ACTIVE, EtcdRoot, MachineConfig } from "#resources";
import { defineController, exclusive, one } from "#runtime";

export const rootEtcdController = () =>
  defineController({
    name: "secrets.RootEtcdController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { root: exclusive(EtcdRoot) },

    reconcile({ inputs }) {
      const config = loadMachineConfig(inputs.config.spec.yaml);
      const etcdCA = config.type === "controlplane" ? config.etcdRoot() : undefined;
      return { outputs: { root: etcdCA ? { etcd: { etcdCA } } : {} } };
    },
  });
