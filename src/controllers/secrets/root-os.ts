/** Takes the Talos API root out of the machine configuration. */
import { canonicalAddress, isAddress, loadMachineConfig } from "#config";
import { ACTIVE, MachineConfig, OSRoot } from "#resources";
import { defineController, exclusive, one } from "#runtime";

/** Names by which pods reach the Talos API when that is switched on. */
const IN_CLUSTER_NAMES = ["talos", "talos.default"];

export const rootOSController = () =>
  defineController({
    name: "secrets.RootOSController",
    inputs: { config: one(MachineConfig, ACTIVE) },
    outputs: { root: exclusive(OSRoot) },

    reconcile({ inputs }) {
      const config = loadMachineConfig(inputs.config.spec.yaml);
      const root = config.osRoot();
      const names = root.certSANs.filter((san) => !isAddress(san));
      return {
        outputs: {
          root: {
            os: {
              issuingCA: root.issuingCA ?? null,
              certSANIPs: root.certSANs.filter(isAddress).map(canonicalAddress),
              certSANDNSNames: [...names, ...(config.talosApiAccess ? IN_CLUSTER_NAMES : [])],
              token: root.token,
              acceptedCAs: root.acceptedCAs,
            },
          },
        },
      };
    },
  });
