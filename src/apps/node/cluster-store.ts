/**
 * Where cluster-wide resources are: members, join tokens, policies, what was issued. With one control
 * plane that is its own store; several have none that they share, and no home-made one is put there.
 */
import { canonicalAddress } from "#config";
import { MachineType, NodeAddress } from "#resources";
import { CodedError } from "#runtime";
import type { Store } from "#runtime/store";

/** What is cluster-wide cannot be reached from this node. */
export class NoClusterStoreError extends CodedError {
  readonly code = "ERR_NO_CLUSTER_STORE";
}

/** The cluster's store, or why there is none here. */
export type FoundClusterStore =
  { readonly store: Store } | { readonly refusal: NoClusterStoreError };

/** Leads to the store of what is cluster-wide. */
export interface ClusterStore {
  /** Where it is at this moment: what a node is can change while it runs. */
  find(): Promise<FoundClusterStore>;
  /** @throws {NoClusterStoreError} */
  open(): Promise<Store>;
}

/** That of a node. */
export const clusterStore = (options: {
  readonly store: Store;
  /** Control planes that the node was told of, by address; itself may be among them. */
  readonly controlPlanes: readonly string[];
  /** Where it listens. */
  readonly apiAddress: string;
}): ClusterStore => {
  const told = [...new Set(options.controlPlanes.map(canonicalAddress))];
  return foundBy(async () => {
    const { store, apiAddress } = options;
    const type = await store.get(MachineType, "machine-type");
    if (type?.spec.type !== "controlplane") return { refusal: elsewhere() };
    if (told.length === 0) return { store };
    const own = (await store.get(NodeAddress, "current"))?.spec.addresses ?? [];
    const names = new Set([apiAddress, ...own].map(canonicalAddress));
    const others = told.filter((address) => !names.has(address));
    return others.length === 0 ? { store } : { refusal: notShared(others) };
  });
};

/** One that is there. */
export const clusterStoreIn = (store: Store): ClusterStore => foundBy(async () => ({ store }));

const foundBy = (find: ClusterStore["find"]): ClusterStore => ({
  find,
  async open() {
    const found = await find();
    if ("refusal" in found) throw found.refusal;
    return found.store;
  },
});

const elsewhere = () =>
  new NoClusterStoreError(
    "the members, join tokens and policies of the cluster are kept by its control plane, and this node " +
      "is none: ask the control plane",
  );

const notShared = (others: readonly string[]) =>
  new NoClusterStoreError(
    `this control plane and ${others.join(", ")} have no store yet that they share for the members, ` +
      "join tokens and policies of the cluster; nodes join with machine.token, and what all control " +
      "planes go by is in their one shared configuration",
  );
