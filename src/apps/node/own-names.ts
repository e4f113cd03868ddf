/** What this node goes by: its names and addresses as they are now, and the one that others use. */
import { networkInterfaces } from "node:os";
import { canonicalAddress, isRoutable, sortAddresses } from "#config";
import { fqdn, HostnameStatus, Member, NodeAddress } from "#resources";
import type { Store } from "#runtime/store";

/**
 * Bridges and ends of containers and virtual machines. Their addresses are the same on every machine
 * that runs the like, and nobody else reaches them.
 */
const ofGuests =
  /^(?:docker(?:0|_gwbridge)|br-[0-9a-f]{12}|(?:virbr|veth|vnet|cni|flannel|cali|cilium_|lxcbr|lxdbr|podman).*)$/;

/** Addresses of this machine's interfaces, without those that only its containers and guests see. */
export const machineAddresses = (interfaces = networkInterfaces()): string[] =>
  Object.entries(interfaces).flatMap(([name, list]) =>
    ofGuests.test(name) ? [] : (list ?? []).map(({ address }) => address),
  );

/** Whether a listener there takes connections to every address of the machine. */
const isWildcard = (address: string): boolean =>
  ["0.0.0.0", "::"].includes(canonicalAddress(address));

/** Where a node that listens on `address` will be reached, before it has looked at its network. */
export function foreseenAddress(address: string): string {
  if (!isWildcard(address)) return address;
  return sortAddresses(machineAddresses().filter(isRoutable))[0] ?? "127.0.0.1";
}

/** Where clients reach a node that listens on `address`. */
export async function reachableAddress(store: Store, address: string): Promise<string> {
  if (!isWildcard(address)) return address;
  const known = await store.get(NodeAddress, "default");
  return known?.spec.addresses[0] ?? "127.0.0.1";
}

/** The names and addresses of a node, at any time. */
export interface OwnNames {
  now(): readonly string[];
  /** Those of all members of the cluster. */
  members(): readonly string[];
  close(): void;
}

/** Follows hostname and addresses until it is closed. */
export function followNames(store: Store): OwnNames {
  const names = new Map<string, readonly string[]>();
  const members = new Map<string, readonly string[]>();
  const following = [
    store.watchKind(Member, { bootstrapContents: true }).subscribe((event) => {
      if (event.type === "destroyed") members.delete(event.resource.metadata.id);
      else if (event.type === "created" || event.type === "updated") {
        const { addresses, hostname } = event.resource.spec;
        members.set(event.resource.metadata.id, [hostname, ...addresses]);
      }
    }),
    store.watch(HostnameStatus, "hostname").subscribe((event) => {
      if (event.type === "destroyed") names.delete("hostname");
      else if (event.type === "created" || event.type === "updated")
        names.set("hostname", [event.resource.spec.hostname, fqdn(event.resource.spec)]);
    }),
    store.watch(NodeAddress, "current").subscribe((event) => {
      if (event.type === "destroyed") names.delete("addresses");
      else if (event.type === "created" || event.type === "updated")
        names.set("addresses", event.resource.spec.addresses);
    }),
  ];
  return {
    now: () => [...names.values()].flat(),
    members: () => [...members.values()].flat(),
    close() {
      for (const subscription of following) subscription.unsubscribe();
    },
  };
}
