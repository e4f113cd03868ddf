/**
 * Names the node: `--hostname` first, then what the configuration says (a name, or `auto: stable`,
 * which derives one from the node's id), else the machine's own name.
 */
import { loadMachineConfig } from "#config";
import { ACTIVE, HostnameStatus, Identity, MachineConfig } from "#resources";
import { defineController, exclusive, maybe, one } from "#runtime";

export const hostnameController = (names: {
  /** From the command line; wins over everything. */
  readonly override?: string;
  /** The machine's own. */
  readonly machine: string;
}) =>
  defineController({
    name: "network.HostnameController",
    inputs: { identity: one(Identity, "local"), config: maybe(MachineConfig, ACTIVE) },
    outputs: { status: exclusive(HostnameStatus) },

    reconcile({ inputs }) {
      const configured = inputs.config && loadMachineConfig(inputs.config.spec.yaml).hostname();
      const name =
        names.override ??
        (configured?.kind === "static" ? configured.hostname : undefined) ??
        (configured?.kind === "stable" ? stableName(inputs.identity.spec.nodeId) : names.machine);
      const [hostname = "", ...domain] = name.split(".");
      return {
        outputs: { status: { hostname: { hostname, domainname: domain.join(".") } } },
      };
    },
  });

/** `talos-xxx-xxx`: the same for the same node id, whatever else changes. */
const stableName = (nodeId: string): string => `talos-${nodeId.slice(0, 3)}-${nodeId.slice(3, 6)}`;
