/** What members are told: the whole of it at once, at each change, and at least once a minute. */
import { expect, test } from "vitest";
import { DeniedCertificate, Member, MemberRecord, OSRoot } from "#resources";
import { after, minutes, pointerTo, seconds } from "#runtime";
import type { WatchNodeResponse } from "../../../../src/apps/rpc/gen/node/node.ts";
import type { MemberAsker } from "../../../../src/apps/trustd/signer.ts";
import { issueRoot } from "../../apid/running-node.ts";
import { cluster, controlPlane, reportOf, START } from "./cluster.ts";

type Cluster = Awaited<ReturnType<typeof cluster>>;

/** Reads one after the other: `more` waits for the next, `now` looks whether it is there. */
function watching(t: Cluster, asker: MemberAsker) {
  const end = new AbortController();
  const messages = t.membership.watch(asker, end.signal)[Symbol.asyncIterator]();
  let next: Promise<WatchNodeResponse | undefined> | undefined;
  const upcoming = () =>
    (next ??= messages.next().then((step) => (step.done === true ? undefined : step.value)));
  return {
    end,
    async more(): Promise<WatchNodeResponse> {
      const message = await upcoming();
      next = undefined;
      return message ?? expect.fail("it has ended");
    },
    /** What is there without waiting for the clock; as many turns as anything in memory takes. */
    async now(): Promise<WatchNodeResponse | undefined> {
      let found: WatchNodeResponse | undefined;
      upcoming().then(
        (message) => (found = message),
        () => undefined,
      );
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      if (found !== undefined) next = undefined;
      return found;
    },
    isOver: async () => (await upcoming()) === undefined,
    later: (duration: number) => t.clock.advanceTo(after(t.clock.now(), duration)),
  };
}

test("a member is told of itself, the control planes, the authorities and the denied at once", async () => {
  await using t = await cluster();
  const { asker, nodeId } = await t.member("worker-1");
  await t.member("worker-2");
  const denied = { reason: "lost", since: "2027-03-01T12:00:00Z" };
  await t.store.create(DeniedCertificate, "ab".repeat(32), denied);
  const watch = watching(t, asker);
  expect(await watch.more()).toEqual({
    members: [
      {
        ...{ nodeId, hostname: "worker-1.example", addresses: ["192.0.2.7", "192.0.2.8"] },
        ...{ machineType: "worker", operatingSystem: "", apiPort: 50000 },
      },
      {
        ...{ nodeId: controlPlane.nodeId, hostname: "cp-1", addresses: ["192.0.2.1"] },
        ...{ machineType: "controlplane", operatingSystem: "Trustplane (v1)", apiPort: 50000 },
      },
    ],
    ca: Buffer.from(t.root.crt),
    denied: [{ fingerprint: "ab".repeat(32), reason: "lost" }],
    time: new Date(START),
  });
  watch.end.abort();
  expect(await watch.isOver()).toBe(true);
});

test("each change is told, those within a second together, and what concerns others is not", async () => {
  await using t = await cluster();
  const { asker, nodeId } = await t.member("worker-1");
  const other = await t.member("worker-2");
  const watch = watching(t, asker);
  await watch.more();
  expect(await watch.now()).toBeUndefined();

  const root = await issueRoot(START);
  await t.store.modify(OSRoot, "os", (os) => void os.acceptedCAs.push({ crt: root.crt }));
  await t.store.create(DeniedCertificate, "ab".repeat(32), { reason: "", since: "" });
  expect(await watch.now()).toBeUndefined(); // it was told a moment ago
  watch.later(seconds(1));
  const both = await watch.more();
  expect(both.ca.toString()).toBe(t.root.crt + root.crt);
  expect(both.denied).toHaveLength(1);

  watch.later(seconds(2));
  await t.store.modify(MemberRecord, other.nodeId, (record) => void (record.apiPort = 1));
  await t.store.create(Member, "worker-2", { ...controlPlane, machineType: "worker" });
  expect(await watch.now()).toBeUndefined();
  await t.store.modify(MemberRecord, nodeId, (record) => void (record.apiPort = 50001));
  expect((await watch.more()).members[0]?.apiPort).toBe(50001);

  expect(await watch.now()).toBeUndefined();
  watch.later(seconds(2));
  await t.store.create(Member, "cp-2", { ...controlPlane, nodeId: "cp2", hostname: "cp-2" });
  const { members } = await watch.more();
  expect(members.map(({ hostname }) => hostname)).toEqual(["worker-1.example", "cp-1", "cp-2"]);
  watch.end.abort();
});

test("without a change it is told within each minute, by the clock of then", async () => {
  await using t = await cluster();
  const { asker } = await t.member("worker-1");
  const watch = watching(t, asker);
  await watch.more();
  for (const minute of [1, 2, 3]) {
    expect(await watch.now()).toBeUndefined();
    t.clock.advanceTo(after(START, minutes(minute)));
    const { time } = await watch.more();
    expect(time).toEqual(new Date(after(START, minutes(minute))));
  }
  watch.end.abort();
});

test("one that is removed while it watches is told so", async () => {
  await using t = await cluster();
  const { asker, nodeId } = await t.member("worker-1");
  const watch = watching(t, asker);
  await watch.more();
  expect(await watch.now()).toBeUndefined();
  watch.later(seconds(2));
  await t.store.destroy(pointerTo(MemberRecord, nodeId));
  await expect(watch.more()).rejects.toMatchObject({ code: "ERR_NOT_A_MEMBER" });
});

test("nobody watches whose certificate is on no record", async () => {
  await using t = await cluster();
  const { asker, nodeId } = await t.member("worker-1");
  await t.store.modify(MemberRecord, nodeId, (record) => void (record.identities = []));
  await expect(watching(t, asker).more()).rejects.toMatchObject({ code: "ERR_NOT_A_MEMBER" });
});

test("of one member three watch at a time, and the newest do", async () => {
  await using t = await cluster();
  const { asker } = await t.member("worker-1");
  const watches = Array.from({ length: 5 }, () => watching(t, asker));
  for (const watch of watches) {
    await watch.more();
    expect(await watch.now()).toBeUndefined();
  }
  const [first, second, ...others] = watches;
  for (const over of [first, second])
    await expect(over?.more()).rejects.toMatchObject({ code: "ERR_MEMBER_BUSY" });
  for (const watch of others) {
    expect(await watch.now()).toBeUndefined();
    watch.end.abort();
    expect(await watch.isOver()).toBe(true);
  }
});

test("a control plane that joined is told of with the port that it reports", async () => {
  await using t = await cluster();
  const { asker } = await t.member("worker-1");
  const cp = await t.member("cp-2", { machineType: "controlplane", apiPort: 50007 });
  await t.store.create(Member, "cp-2", {
    ...{ ...controlPlane, nodeId: cp.nodeId, hostname: "cp-2.example" },
  });
  const watch = watching(t, asker);
  const port = async () =>
    (await watch.more()).members.find(({ nodeId }) => nodeId === cp.nodeId)?.apiPort;
  expect(await port()).toBe(50007);
  watch.later(seconds(2));
  await t.membership.report(cp.asker, reportOf("cp-2", { apiPort: 50009 }));
  expect(await port()).toBe(50009);
  watch.end.abort();
});
