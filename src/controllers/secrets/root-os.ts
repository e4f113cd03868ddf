/** Takes the Talos API root out of the machine configuration; a damaged one does not replace what is held. */
import { canonicalAddress, isAddress } from "#config";
import { ACTIVE, MachineConfig, OSRoot } from "#resources";
import { defineController, exclusive, one } from "#runtime";
import { derived, versionOf } from "../config-version.ts";
import { isUsable } from "../readable.ts";
import { readStored } from "../stored-config.ts";

/** Names by which pods reach the Talos API when that is switched on. */
const IN_CLUSTER_NAMES = ["talos", "talos.default"];

export const rootOSController = () =>
  defineController({
    name: "secrets.RootOSController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { root: exclusive(OSRoot) },

    reconcile({ inputs, held }) {
      const config = readStored(inputs.config);
      if (!config) return;
      const root = config.osRoot();
      const issued = held.root.os?.issuingCA;
      if (config.type === "controlplane" && issued && !isUsable(root.issuingCA)) return;
      const names = root.certSANs.filter((san) => !isAddress(san));
      const os = {
        issuingCA: root.issuingCA ?? null,
        certSANIPs: root.certSANs.filter(isAddress).map(canonicalAddress),
        certSANDNSNames: [...names, ...(config.talosApiAccess ? IN_CLUSTER_NAMES : [])],
        token: root.token,
        acceptedCAs: root.acceptedCAs,
      };
      return { outputs: { root: { os: derived(os, versionOf(inputs.config)) } } };
    },
  });
