import { X509Certificate } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { Metadata } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { at, manualClock } from "#runtime";
import { StateClient } from "#runtime/rpc";
import { ORIGIN_HEADER, originText } from "../../../src/apps/apid/forwarding/origin.ts";
import { refusalBudget } from "../../../src/apps/apid/refusal-budget.ts";
import type { AuditEntry } from "../../../src/apps/audit/index.ts";
import {
  MachineServiceClient,
  type ApplyConfigurationResponse,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import { ApplyConfigurationRequest_Mode as Mode } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { startThree } from "./three-nodes.ts";
import {
  clientCredentials,
  issueClient,
  Namespace,
  Note,
  rawClient,
  reply,
  runNode,
  Secret,
} from "./running-node.ts";

async function nodeOnRecord() {
  const entries: AuditEntry[] = [];
  const record = async (entry: AuditEntry) => void entries.push(entry);
  return { node: await runNode({ record }), entries };
}

test("a change is on record before it is answered, with who made it", async () => {
  const { node, entries } = await nodeOnRecord();
  await using _ = node;
  const identity = await issueClient(node.root);
  const raw = rawClient(node, identity);
  const metadata = new Metadata();
  metadata.set("node", "127.0.0.1");
  const request = {
    data: Buffer.from("machine:\n  token: abcdef.0123456789abcdef\n"),
    mode: Mode.AUTO,
    dryRun: true,
    tryModeTimeout: undefined,
  };
  await reply<ApplyConfigurationResponse>((done) =>
    raw.applyConfiguration(request, metadata, done),
  );
  raw.close();
  expect(entries.map(({ outcome }) => outcome)).toEqual(["BEGUN", "OK"]);
  expect(entries.slice(1)).toMatchObject([
    {
      subject: "O = os:admin",
      roles: ["os:admin"],
      method: "/machine.MachineService/ApplyConfiguration",
      nodes: ["127.0.0.1"],
      resource: "",
      outcome: "OK",
      reason: "",
    },
  ]);
  expect(entries[0]?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(entries[0]?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(JSON.stringify(entries)).not.toContain("abcdef"); // the request holds secrets
});

test("a secret that is asked for is on record, and what anybody may read is not", async () => {
  const { node, entries } = await nodeOnRecord();
  await using _ = node;
  await node.store.create(Secret, "a", { key: "k" });
  await node.store.create(Note, "a", { text: "t" });
  const admin = await node.admin();
  await admin.get({ namespace: "test", type: Secret.type, id: "a" });
  await admin.list(Secret);
  await admin.list(Note);
  await admin.version();
  expect(entries.map(({ method, resource, outcome }) => [method, resource, outcome])).toEqual([
    ["/cosi.resource.State/Get", `test/${Secret.type}/a`, "OK"],
    ["/cosi.resource.State/List", `test/${Secret.type}`, "OK"],
  ]);
});

test("a watch of a secret is on record when it begins", async () => {
  const { node, entries } = await nodeOnRecord();
  await using _ = node;
  const admin = await node.admin();
  for await (const event of admin.watch(Secret)) {
    expect(event.type).toBe("bootstrapped");
    break;
  }
  expect(entries).toMatchObject([{ method: "/cosi.resource.State/Watch", outcome: "OK" }]);
});

test("a refusal is on record, with its reason", async () => {
  const { node, entries } = await nodeOnRecord();
  await using _ = node;
  const reader = node.client(await issueClient(node.root, ["os:reader"]));
  await expect(reader.list(Secret)).rejects.toThrow("not authorized");
  await expect(reader.list({ ...Namespace, type: "Nothings.x.dev" })).rejects.toThrow();
  const request = { roles: ["os:admin"], lifetime: 1000 };
  await expect(reader.issueClientConfiguration(request)).rejects.toThrow("not authorized");
  expect(entries.map(({ resource, outcome, reason }) => [resource, outcome, reason])).toEqual([
    [`test/${Secret.type}`, "PERMISSION_DENIED", "not authorized"],
    ["meta/Nothings.x.dev", "PERMISSION_DENIED", 'resource type "Nothings.x.dev" is not supported'],
    ["os:admin", "PERMISSION_DENIED", "not authorized"],
  ]);
});

const configuration = (text: string) => ({
  ...{ data: Buffer.from(text), mode: Mode.AUTO, dryRun: false, tryModeTimeout: undefined },
});

/** A node whose configurations are taken when the test says so. */
async function slowNode() {
  const entries: AuditEntry[] = [];
  const started = Promise.withResolvers<readonly AuditEntry[]>();
  const release = Promise.withResolvers<undefined>();
  const record = async (entry: AuditEntry) => void entries.push(entry);
  const applyConfiguration = async () => {
    started.resolve([...entries]);
    await release.promise;
    return { warnings: [], modeDetails: "" };
  };
  const ports = { build: { sha: "", built: "" }, ...unissued, applyConfiguration };
  const node = await runNode({ record, ports });
  const identity = await issueClient(node.root);
  const raw = rawClient(node, identity);
  const hangUp = new AbortController();
  const answer = reply<ApplyConfigurationResponse>((done) => {
    const call = raw.applyConfiguration(configuration("a"), done);
    hangUp.signal.addEventListener("abort", () => call.cancel());
  }).catch((error: unknown) => error);
  return { node, entries, started: started.promise, release: release.resolve, raw, answer, hangUp };
}
const unissued = {
  issueClientConfiguration: async () => ({ ca: "", crt: "", key: "", talosconfig: "" }),
};

test("a change is on record before it is made", async () => {
  const { node, started, release, raw, answer } = await slowNode();
  await using _ = node;
  expect(await started).toMatchObject([{ outcome: "BEGUN", subject: "O = os:admin" }]);
  release(undefined);
  await answer;
  raw.close();
});

test("who hangs up stays on record", async () => {
  const { node, entries, started, release, raw, hangUp } = await slowNode();
  {
    await using _ = node;
    const fingerprint = (await started)[0]?.fingerprint ?? "";
    hangUp.abort();
    raw.close();
    while (node.apid.connectionsUnder(fingerprint) > 0) await setImmediate();
    release(undefined);
  }
  expect(entries[1]).toMatchObject({
    outcome: "OK",
    subject: "O = os:admin",
    roles: ["os:admin"],
    fingerprint: entries[0]?.fingerprint,
  });
});

test("apid is not closed before it is on record how a change ended", async () => {
  const { node, entries, started, release, raw, answer } = await slowNode();
  await started;
  const closing = node.apid.close();
  expect(await answer).toMatchObject({ code: expect.any(Number) as number }); // cut off by force
  expect(entries).toHaveLength(1);
  release(undefined);
  await closing;
  expect(entries.map(({ outcome }) => outcome)).toEqual(["BEGUN", "OK"]);
  raw.close();
  await node[Symbol.asyncDispose]();
});

test("who is refused over and over cannot fill the audit log", async () => {
  const { node, entries } = await nodeOnRecord();
  {
    await using _ = node;
    const nobody = node.client(await issueClient(node.root, []));
    for (let n = 0; n < 50; n++)
      await expect(
        nobody.get({ namespace: "test", type: Secret.type, id: `a-${n}` }),
      ).rejects.toThrow("not authorized");
    expect(entries).toHaveLength(32);
    const admin = await node.admin();
    await admin.list(Secret); // has a line all the same
    expect(entries).toHaveLength(33);
  }
  expect(entries.slice(33)).toMatchObject([{ outcome: "PERMISSION_DENIED", count: 18 }]);
});

test("refusals beyond the rate share a line a minute", async () => {
  const clock = manualClock(at("2030-01-01"));
  const entries: AuditEntry[] = [];
  const budget = refusalBudget(async (entry) => void entries.push(entry), clock);
  const refusal = { fingerprint: "ab", resource: "x" } as AuditEntry;
  const whole = { ...refusal, ...{ peer: "", subject: "", method: "", outcome: "", reason: "" } };
  const refuse = async (count: number, caller = "ab") => {
    for (let n = 0; n < count; n++)
      await budget.record(caller, { ...whole, roles: [], nodes: [], resource: `${n}` });
  };
  await refuse(100);
  expect(entries).toHaveLength(32);
  await refuse(1, "cd");
  expect(entries).toHaveLength(33);
  clock.advanceTo(at("2030-01-01T00:01:00Z"));
  expect(entries.slice(33)).toMatchObject([{ resource: "99", count: 68 }]);
  await refuse(5);
  expect(entries).toHaveLength(34);
  clock.advanceTo(at("2030-01-01T00:02:00Z"));
  expect(entries.slice(34)).toMatchObject([{ resource: "4", count: 5 }]);
  clock.advanceTo(at("2030-01-01T01:00:00Z")); // as if nothing had been
  expect(clock.nextAlarm()).toBeUndefined();
  await refuse(32);
  expect(entries).toHaveLength(67);
});

describe("several nodes", () => {
  const onRecord = async () => {
    const entries: AuditEntry[] = [];
    const three = await startThree({ record: async (entry) => void entries.push(entry) });
    return { three, entries };
  };

  test("a call that one of them refuses is no success on record", async () => {
    const { three, entries } = await onRecord();
    await using _ = three;
    const identity = await issueClient(three.root);
    const [ssl, options] = clientCredentials(three.root, identity);
    const machine = new MachineServiceClient(`ipv4:127.0.0.2:${three.port}`, ssl, options);
    const metadata = new Metadata();
    for (const node of ["127.0.0.2", "127.0.0.9"]) metadata.add("nodes", node);
    for (const text of ["taken", "refused"])
      await reply((done) => machine.applyConfiguration(configuration(text), metadata, done));
    machine.close();
    expect(entries.map(({ outcome }) => outcome)).toEqual([
      ...["BEGUN", "UNAVAILABLE"],
      ...["BEGUN", expect.not.stringMatching(/^OK$/) as string],
    ]);
    expect(entries[1]?.reason).toMatch(/this node: OK; 127\.0\.0\.9: UNAVAILABLE node 127/);
    expect(entries[3]?.reason).toMatch(/this node: \w+ refused by 127\.0\.0\.2; 127\.0\.0\.9: /);
  });

  test("a secret that is read through another node is put down to who read it, on both", async () => {
    const { three, entries } = await onRecord();
    await using _ = three;
    const client = await three.client();
    const node = "127.0.0.3";
    await client.get({ namespace: "test", type: Secret.type, id: node }, { node });
    await client.list(Note, { node });
    expect(entries.map(({ outcome, via }) => [outcome, via !== undefined])).toEqual([
      ["BEGUN", false],
      ["OK", true],
      ["OK", false],
    ]);
    const [here, there] = entries;
    expect(there).toMatchObject({
      subject: "O = os:admin",
      peer: here?.peer,
      fingerprint: here?.fingerprint,
      resource: `test/${Secret.type}/${node}`,
    });
    expect(there?.via).toMatch(/^127\.0\.0\.2:\d+ [0-9a-f]{64}$/);
  });

  test("who is no node cannot have others named for it", async () => {
    const { three, entries } = await onRecord();
    await using _ = three;
    const [ssl, options] = clientCredentials(three.root, await issueClient(three.root));
    const state = new StateClient(`ipv4:127.0.0.2:${three.port}`, ssl, options);
    const claim = { peer: "10.0.0.1:1", fingerprints: ["ab"], subject: "O = somebody" };
    for (const node of ["127.0.0.2", "127.0.0.3"]) {
      const metadata = new Metadata();
      metadata.set("node", node);
      metadata.set("proxyfrom", "10.0.0.1");
      metadata.set(ORIGIN_HEADER, originText(claim));
      const request = { namespace: "test", type: Secret.type, id: node, options: undefined };
      await reply((done) => state.get(request, metadata, done));
    }
    state.close();
    expect(entries).toHaveLength(4);
    for (const { subject, nodes } of entries.slice(0, 1))
      expect([subject, nodes]).toEqual(["O = os:admin", ["127.0.0.2"]]);
    for (const { subject, fingerprint } of entries)
      expect([subject, fingerprint]).toEqual(["O = os:admin", entries[0]?.fingerprint]);
  });

  test("who is denied on a node gets there through no other", async () => {
    const { three } = await onRecord();
    await using _ = three;
    const identity = await issueClient(three.root);
    const [first] = three.nodes;
    const [ssl, options] = clientCredentials(three.root, identity);
    const state = new StateClient(`ipv4:127.0.0.3:${three.port}`, ssl, options);
    const metadata = new Metadata();
    metadata.set("node", first.address);
    const request = { namespace: "test", type: Note.type, id: first.address, options: undefined };
    const get = () => reply((done) => state.get(request, metadata, done));
    await get();
    first.apid.deny(
      new Set([new X509Certificate(identity.crt).fingerprint256.replaceAll(":", "").toLowerCase()]),
    );
    await expect(get()).rejects.toMatchObject({ details: "client certificate is denied" });
    first.apid.deny(new Set());
    await get();
    state.close();
  });
});
