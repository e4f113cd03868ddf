/**
 * Lists the node's addresses. With a loopback API address that one is the only address, so that
 * several nodes live on one host; otherwise they are those of the machine's interfaces, and an
 * address once seen stays in `accumulative`. While the configuration cannot be read, those that are
 * known as the cluster's stay so.
 */
import { inNetworks, isLoopback, isRoutable, sortAddresses } from "#config";
import { ACTIVE, MachineConfig, NodeAddress } from "#resources";
import { after, defineController, exclusive, maybe, minutes } from "#runtime";
import { derived, versionOf } from "../config-version.ts";
import { readStored } from "../stored-config.ts";

/** How long a new address of the machine may go unnoticed. */
const LOOK_AGAIN = minutes(1);

export const nodeAddressController = (options: {
  readonly apiAddress: string;
  /** Addresses of the machine's interfaces. */
  readonly interfaceAddresses: () => readonly string[];
}) => {
  let seen: readonly string[] = []; // since this process began: what is gone at a restart is forgotten
  return defineController({
    name: "network.NodeAddressController",
    inputs: { config: maybe(MachineConfig, ACTIVE) },
    outputs: { addresses: exclusive(NodeAddress) },

    reconcile({ inputs, held, clock }) {
      const alone = isLoopback(options.apiAddress);
      const current = alone
        ? [options.apiAddress]
        : sortAddresses([options.apiAddress, ...options.interfaceAddresses()].filter(isRoutable));
      const accumulative = sortAddresses([...current, ...seen]);
      seen = accumulative;
      const config = inputs.config && readStored(inputs.config);
      const kubernetes = config?.clusterNetworks() ?? [];
      const known = config === undefined ? insideOf(held.addresses) : [];
      const outside = (list: string[]) =>
        list.filter((ip) => !inNetworks(ip, kubernetes) && !known.includes(ip));
      const version = inputs.config && config ? versionOf(inputs.config) : "";
      const spec = (addresses: string[]) => ({ addresses, sortAlgorithm: "v1" as const });
      return {
        outputs: {
          addresses: {
            default: spec(current.slice(0, 1)),
            current: spec(current),
            "current-no-k8s": spec(outside(current)),
            routed: spec(current),
            accumulative: spec(accumulative),
            "accumulative-no-k8s": derived(spec(outside(accumulative)), version),
          },
        },
        wakeAt: alone ? null : after(clock.now(), LOOK_AGAIN),
      };
    },
  });
};

type Lists = Readonly<Record<string, { readonly addresses: readonly string[] } | undefined>>;

/** Addresses that were held to be in the cluster's networks. */
function insideOf(held: Lists): readonly string[] {
  const outside = held["accumulative-no-k8s"]?.addresses ?? [];
  return held.accumulative?.addresses.filter((ip) => !outside.includes(ip)) ?? [];
}
