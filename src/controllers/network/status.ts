/** Says what of the network is known: others wait for addresses and the hostname. */
import { HostnameStatus, NetworkStatus, NodeAddress } from "#resources";
import { defineController, exclusive, maybe } from "#runtime";

export const networkStatusController = () =>
  defineController({
    name: "network.StatusController",
    inputs: {
      addresses: maybe(NodeAddress, "current"),
      hostname: maybe(HostnameStatus, "hostname"),
    },
    outputs: { status: exclusive(NetworkStatus) },

    reconcile({ inputs }) {
      const addressReady = (inputs.addresses?.spec.addresses.length ?? 0) > 0;
      const hostnameReady = inputs.hostname !== null;
      return {
        outputs: {
          status: {
            status: {
              addressReady,
              connectivityReady: addressReady,
              hostnameReady,
              etcFilesReady: true,
            },
          },
        },
      };
    },
  });
