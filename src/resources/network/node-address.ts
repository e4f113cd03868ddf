import { defineResource } from "#runtime";
import { z } from "zod";
import { message, messages, prefixMessage } from "../encoding.ts";

/** Talos tells prefixes; of an address alone that is itself. */
const prefix = (address: string): string => `${address}/${address.includes(":") ? "128" : "32"}`;

/**
 * Addresses of this node. Ids: `default`, `current`, `routed`, `accumulative` (never shrinks), and
 * those of `current` and `accumulative` with `-no-k8s`, without pod and service networks.
 */
export const NodeAddress = defineResource({
  type: "NodeAddresses.net.talos.dev",
  namespace: "network",
  printColumns: [
    { name: "Addresses", jsonPath: "{.addresses}" },
    { name: "SortAlgorithm", jsonPath: "{.sortAlgorithm}" },
  ],
  spec: z.object({ addresses: z.array(z.string()), sortAlgorithm: z.literal("v1") }),
  encoding: {
    proto: message({ addresses: messages(1, prefixMessage) }),
    yaml: ({ addresses, sortAlgorithm }) => ({ addresses: addresses.map(prefix), sortAlgorithm }),
  },
});
