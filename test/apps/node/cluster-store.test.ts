/** Where what is cluster-wide is kept, and what is said where it is not. */
import { expect, test } from "vitest";
import { MachineType, NodeAddress } from "#resources";
import { openMemoryStore } from "#runtime/store";
import { clusterStore } from "../../../src/apps/node/cluster-store.ts";
import { addresses } from "../../controllers/surroundings.ts";

async function on(type: "controlplane" | "worker", controlPlanes: readonly string[]) {
  const store = openMemoryStore();
  await store.create(MachineType, "machine-type", { type });
  await store.create(NodeAddress, "current", addresses("192.0.2.1", "fd00::1"));
  return { store, cluster: clusterStore({ store, controlPlanes, apiAddress: "127.0.0.2" }) };
}

test("one control plane keeps it in its own store, by whatever address it was told of itself", async () => {
  for (const told of [[], ["192.0.2.1"], ["FD00:0::1"], ["127.0.0.2"]]) {
    const { store, cluster } = await on("controlplane", told);
    expect(await cluster.open()).toBe(store);
    expect(await cluster.find()).toEqual({ store });
  }
});

test("several control planes have none, and name each other and what works without", async () => {
  const { cluster } = await on("controlplane", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
  await expect(cluster.open()).rejects.toThrow(
    /this control plane and 192\.0\.2\.2, 192\.0\.2\.3 .*machine\.token/,
  );
  expect(await cluster.find()).toMatchObject({ refusal: { code: "ERR_NO_CLUSTER_STORE" } });
});

test("a worker sends to the control plane", async () => {
  const { cluster } = await on("worker", []);
  await expect(cluster.open()).rejects.toThrow("ask the control plane");
});
