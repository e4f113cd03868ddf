import { Identity, MachineType, Member, MemberRecord, OSRoot } from "#resources";
import { at, manualClock, systemRandom } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openEndings, type Endings } from "../../../src/apps/node/ending.ts";
import { demoRoot, workerRoot } from "../../controllers/joining.ts";
import { nodeReset, type Leave, type Marker } from "../../../src/apps/node/reset.ts";

let store: Store;
let endings: Endings;
let isMarked: boolean;
let stop: AbortController;
const marker: Marker = {
  set: async () => void (isMarked = true),
  clear: async () => void (isMarked = false),
};
const clock = manualClock(at("2030-01-01"));
beforeEach(async () => {
  store = openMemoryStore();
  isMarked = false;
  stop = new AbortController();
  endings = openEndings({ clock, random: systemRandom });
  await store.create(Identity, "local", { nodeId: "one" });
});
afterEach(() => store.close());

const reset = (graceful: boolean, leave: Leave = async () => undefined, reboot = false) =>
  nodeReset({ store, endings, leave, marker, signal: stop.signal })({ graceful, reboot });
const member = (nodeId: string, machineType: "controlplane" | "worker") =>
  store.create(Member, nodeId, {
    ...{ nodeId, machineType, hostname: nodeId, addresses: [] },
    ...{ operatingSystem: "", controlPlane: null },
  });
const asked = async () => {
  clock.advanceTo(clock.now());
  return await endings.asked;
};

test("a worker tells its cluster first, and then it ends", async () => {
  await store.create(MachineType, "machine-type", { type: "worker" });
  const told = Promise.withResolvers<undefined>();
  const resetting = reset(true, () => told.promise);
  expect(() => endings.end("reboot")).toThrow("a reset of this node is under way");
  told.resolve(undefined);
  const actorId = await resetting;
  expect(await asked()).toEqual({ name: "reset", actorId, beginsAnew: false });
});

test("a cluster that cannot be told keeps its worker, which goes on", async () => {
  await store.create(MachineType, "machine-type", { type: "worker" });
  const leave = () => Promise.reject(new Error("127.0.0.2:50000 does not answer"));
  await expect(reset(true, leave)).rejects.toMatchObject({
    code: "ERR_LEAVE_FAILED",
    message: expect.stringContaining("127.0.0.2:50000 does not answer; a reset that is") as string,
  });
  expect(isMarked).toBe(false);
  endings.end("reboot"); // nothing is under way
  expect(await asked()).toMatchObject({ name: "reboot" });
});

test("a node is marked for its wipe before the cluster is told", async () => {
  await store.create(MachineType, "machine-type", { type: "worker" });
  await reset(true, async () => expect(isMarked).toBe(true));
  expect(isMarked).toBe(true);
});

test("a node that is stopped while nobody knows whether it has left stays marked", async () => {
  await store.create(MachineType, "machine-type", { type: "worker" });
  const resetting = reset(true, async (signal) => {
    stop.abort();
    signal.throwIfAborted();
  });
  await expect(resetting).rejects.toMatchObject({ code: "ERR_ENDING_IN_PROGRESS" });
  expect(isMarked).toBe(true);
});

test("a node that cannot be marked tells nobody, and goes on", async () => {
  await store.create(MachineType, "machine-type", { type: "worker" });
  const full = { ...marker, set: () => Promise.reject(new Error("ENOSPC")) };
  const leave = () => Promise.reject(new Error("told"));
  const resetting = nodeReset({ store, endings, leave, marker: full, signal: stop.signal });
  await expect(resetting({ graceful: true, reboot: false })).rejects.toMatchObject({
    code: "ERR_RESET_REFUSED",
    message: "the node cannot be marked for a reset: ENOSPC",
  });
  endings.end("reboot"); // nothing is under way
});

test("without grace nobody is told", async () => {
  await store.create(MachineType, "machine-type", { type: "worker" });
  const actorId = await reset(false, () => Promise.reject(new Error("told")), true);
  expect(await asked()).toEqual({ name: "reset", actorId, beginsAnew: true });
});

test("the only control plane goes without grace alone, others do as they like", async () => {
  await store.create(MachineType, "machine-type", { type: "controlplane" });
  await member("one", "controlplane");
  await member("two", "worker");
  await expect(reset(true)).rejects.toMatchObject({ code: "ERR_LAST_CONTROL_PLANE" });
  await member("three", "controlplane");
  await reset(true);
  expect(await asked()).toMatchObject({ name: "reset" });
});

test("who signs and keeps the record of members goes without grace only, whoever else is a control plane", async () => {
  await store.create(MachineType, "machine-type", { type: "controlplane" });
  await member("two", "controlplane");
  const { crt, key } = demoRoot();
  await store.create(OSRoot, "os", { ...workerRoot([demoRoot()]), issuingCA: { crt, key } });
  await store.create(MemberRecord, "two", {
    ...{ hostname: "two", addresses: [], apiPort: 0, machineType: "controlplane", token: "" },
    ...{ joined: "2030-01-01T00:00:00Z", bounds: null, identities: [], notAfter: "" },
    ...{ dnsNames: [], identityKeys: [] },
  });
  await expect(reset(true)).rejects.toMatchObject({ code: "ERR_LAST_CONTROL_PLANE" });
  await reset(false);
  expect(await asked()).toMatchObject({ name: "reset" });
});
