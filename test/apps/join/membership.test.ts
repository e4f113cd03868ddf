/** What a member reports, and what it makes of what it is told: over ports in memory. */
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { readCertificate } from "#pki";
import { DeniedCertificate, Endpoint, MemberRecord, NodeCertificate, OSRoot } from "#resources";
import { after, minutes, seconds } from "#runtime";
import { seededRandom } from "#runtime/testing";
import { CallFailureError, keepMembership, type SignerCall } from "../../../src/apps/join/index.ts";
import {
  ReportRequest,
  ReportResponse,
  WatchNodeResponse,
} from "../../../src/apps/rpc/gen/node/node.ts";
import { mountNode, START, workerConfig } from "../../controllers/control-plane.ts";
import { demoRoot, issueFor } from "../../controllers/joining.ts";
import { recordingLogger } from "../apid/running-node.ts";

const config = workerConfig.replace(/endpoint: https:.*/, "endpoint: https://192.0.2.10:6443");
const turns = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise<void>((next) => setImmediate(next));
};

async function member({ isOnRecord = true } = {}) {
  const node = await mountNode({
    config,
    askCertificate: async (wish) => ({
      ...(await issueFor(wish, { clock: { now: () => START } })),
      ...(!isOnRecord && { machineType: "" }),
    }),
  });
  const { store, clock } = node;
  const reports: { readonly call: SignerCall; readonly request: ReportRequest }[] = [];
  const listeners: {
    readonly host: string;
    tell: (told: Partial<WatchNodeResponse>) => void;
    hangUp: () => void;
  }[] = [];
  const cluster = { isUp: true };
  const { log, lines } = recordingLogger();
  const membership = keepMembership({
    ...{
      store,
      clock,
      log,
      random: seededRandom(1),
      operatingSystem: "Trustplane",
      apiPort: 50_000,
    },
    async callSigner(call) {
      if (!cluster.isUp) throw new CallFailureError(status.UNAVAILABLE, "connect ECONNREFUSED");
      reports.push({ call, request: ReportRequest.decode(call.request) });
      return ReportResponse.encode({ time: new Date(clock.now()), nextWithin: 300 }).finish();
    },
    async *watchSigner({ host, signal }) {
      if (!cluster.isUp) throw new CallFailureError(status.UNAVAILABLE, "connect ECONNREFUSED");
      const messages: Uint8Array[] = [];
      let wake: () => void = () => undefined;
      const state = { isOver: false };
      const over = () => {
        state.isOver = true;
        wake();
      };
      signal.addEventListener("abort", over);
      const whole = { members: [], ca: Buffer.from(demoRoot().crt), denied: [], time: new Date(0) };
      const tell = (told: Partial<WatchNodeResponse>) => {
        messages.push(WatchNodeResponse.encode({ ...whole, ...told }).finish());
        wake();
      };
      listeners.push({ host, tell, hangUp: over });
      while (!state.isOver) {
        const message = messages.shift();
        if (message !== undefined) yield message;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  });
  await turns();
  const pass = async (duration: number) => {
    await turns();
    const end = after(clock.now(), duration);
    for (
      let next = clock.nextAlarm();
      next !== undefined && next <= end;
      next = clock.nextAlarm()
    ) {
      clock.advanceTo(next);
      await turns();
    }
    clock.advanceTo(end);
    await turns();
  };
  return {
    ...{ node, store, reports, listeners, cluster, lines, pass },
    async [Symbol.asyncDispose]() {
      await membership[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

const controlPlane = {
  ...{ nodeId: "c".repeat(44), hostname: "cp-2", addresses: ["192.0.2.11"] },
  ...{ machineType: "controlplane", operatingSystem: "", apiPort: 50_100 },
};

test("a member reports at once who it is, what it holds and whom it trusts, by its identity", async () => {
  await using t = await member();
  expect(t.reports).toHaveLength(1);
  const [{ call, request }] = t.reports as [(typeof t.reports)[number]];
  const held = t.node.spec(NodeCertificate, "node");
  expect(call).toMatchObject({ method: "Report", host: "192.0.2.10", identity: held?.identity });
  expect(call).not.toHaveProperty("token");
  const root = readCertificate(demoRoot().crt).fingerprint;
  expect(request).toMatchObject({
    ...{ hostname: "cp-1.example.test", operatingSystem: "Trustplane", apiPort: 50_000 },
    serves: readCertificate(held?.serving?.crt ?? "").fingerprint,
    acceptedAuthorities: [root],
  });
  expect(request.certificates.map(({ id, state }) => `${id} ${state}`)).toEqual([
    "os-ca Valid",
    "apid-server Valid",
    "node-identity Valid",
  ]);
  expect(request.certificates.every(({ issuerFingerprint }) => issuerFingerprint === root)).toBe(
    true,
  );
  expect(JSON.stringify(request)).not.toContain("PRIVATE");
});

test("it reports again before it is missed, and goes on when control planes come back", async () => {
  await using t = await member();
  await t.pass(minutes(4));
  expect(t.reports).toHaveLength(1);
  await t.pass(minutes(1));
  expect(t.reports).toHaveLength(2);
  t.cluster.isUp = false;
  await t.pass(minutes(20));
  expect(t.reports).toHaveLength(2);
  const failures = t.lines.filter(({ message }) => message.includes("does not hear"));
  expect(failures.length).toBeGreaterThan(5);
  expect(failures.length).toBeLessThan(60);
  t.cluster.isUp = true;
  await t.pass(minutes(2));
  expect(t.reports).toHaveLength(3);
});

test("control planes that it is told of are where it looks, and those that are not told any more are not", async () => {
  await using t = await member();
  t.listeners[0]?.tell({ members: [controlPlane] });
  await turns();
  expect(t.node.spec(MemberRecord, controlPlane.nodeId)).toMatchObject({
    ...{ hostname: "cp-2", machineType: "controlplane", apiPort: 50_100, identities: [] },
  });
  expect(t.node.spec(Endpoint, "discovery")?.addresses).toEqual(["192.0.2.11"]);
  t.listeners[0]?.tell({ members: [] });
  await turns();
  expect(t.node.list(MemberRecord)).toEqual([]);
});

test("whom the cluster denies is denied here until it takes that back; what was denied here stays", async () => {
  await using t = await member();
  const [ours, theirs] = ["a".repeat(64), "b".repeat(64)];
  await t.store.create(DeniedCertificate, ours, { reason: "here", since: "" });
  const denied = [ours, theirs].map((fingerprint) => ({ fingerprint, reason: "there" }));
  t.listeners[0]?.tell({ denied });
  await turns();
  expect(t.node.list(DeniedCertificate).map(({ spec }) => spec.reason)).toEqual(["here", "there"]);
  t.listeners[0]?.tell({});
  await turns();
  expect(t.node.list(DeniedCertificate).map(({ metadata }) => metadata.id)).toEqual([ours]);
});

test("who hangs up is listened to again after a moment, and a new identity begins anew", async () => {
  await using t = await member();
  t.listeners[0]?.hangUp();
  await t.pass(seconds(3));
  expect(t.listeners).toHaveLength(2);
  const before = t.reports.length;
  await t.store.modify(OSRoot, "os", (draft) => void (draft.token = "aaaaaa.cccccccccccccccc"), {
    owner: "secrets.RootOSController",
  });
  await turns();
  expect(t.reports).toHaveLength(before); // the token is of no concern here
  const held = t.node.spec(NodeCertificate, "node");
  const next = { ...held, identity: { ...held?.identity, crt: held?.serving?.crt ?? "" } };
  await t.store.modify(NodeCertificate, "node", () => next as never, {
    owner: "secrets.NodeCertificateController",
  });
  await turns();
  expect(t.listeners.length).toBeGreaterThan(2);
  expect(t.reports.length).toBeGreaterThan(before);
});

test("a node whose cluster keeps nobody on record says nothing and listens to nobody", async () => {
  await using t = await member({ isOnRecord: false });
  await t.pass(minutes(10));
  expect([t.reports, t.listeners]).toEqual([[], []]);
});
