/** Takes the etcd root out of a control plane's configuration; a damaged one does not replace what is held. */
import { ACTIVE, EtcdRoot, MachineConfig } from "#resources";
import { defineController, exclusive, one } from "#runtime";
import { derived, versionOf } from "../config-version.ts";
import { isUsable } from "../readable.ts";
import { readStored } from "../stored-config.ts";

export const rootEtcdController = () =>
  defineController({
    name: "secrets.RootEtcdController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { root: exclusive(EtcdRoot) },

    reconcile({ inputs, held }) {
      const config = readStored(inputs.config);
      if (!config) return;
      if (config.type !== "controlplane") return { outputs: { root: {} } };
      const etcdCA = config.etcdRoot();
      if (held.root.etcd && !isUsable(etcdCA)) return;
      const version = versionOf(inputs.config);
      return { outputs: { root: etcdCA ? { etcd: derived({ etcdCA }, version) } : {} } };
    },
  });
