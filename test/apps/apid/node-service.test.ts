/** The service of nodes on a real apid: who is served, about whom, and for how long. */
import { status, type ServiceError } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { leafProfiles, readCertificate, type KeyedPem } from "#pki";
import { manualClock, after, seconds, systemRandom, silentLogger, systemClock } from "#runtime";
import {
  DeniedCertificate,
  Identity,
  kinds,
  Member,
  MemberRecord,
  MemberReport,
  namespaces,
  OSRoot,
} from "#resources";
import { registerKinds } from "#runtime/engine";
import { openMemoryStore } from "#runtime/store";
import type { AuditEntry } from "../../../src/apps/audit/index.ts";
import { clusterStoreIn } from "../../../src/apps/node/cluster-store.ts";
import { openDenials } from "../../../src/apps/node/denials.ts";
import {
  NodeServiceClient,
  type WatchNodeResponse,
  type RenewNodeResponse,
} from "../../../src/apps/rpc/gen/node/node.ts";
import { openMembership } from "../../../src/apps/trustd/members/membership.ts";
import type { MemberAsker } from "../../../src/apps/trustd/signer.ts";
import { controlPlane, joinedMember, reportOf } from "../trustd/members/cluster.ts";
import {
  clientCredentials,
  issueClient,
  issueLeaf,
  issueRoot,
  issueServer,
  reply,
  runNode,
} from "./running-node.ts";
import { headers } from "./served.ts";

/** TLS holds certificates against the wall clock, whatever clock a node has. */
const NOW = systemClock.now();
const renewed: RenewNodeResponse = {
  issued: {
    ...{ ca: Buffer.alloc(0), servingCrt: Buffer.alloc(0), identityCrt: Buffer.alloc(0) },
    ...{ time: new Date(NOW), machineType: "worker", apiPort: 50000 },
  },
};

/** apid with a membership, on a clock that stands still. */
async function served() {
  const clock = manualClock(NOW);
  const root = await issueRoot(NOW);
  const store = openMemoryStore({ clock });
  await registerKinds(store, kinds, namespaces);
  await store.create(Identity, "local", { nodeId: controlPlane.nodeId });
  await store.create(Member, "cp-1", controlPlane);
  await store.create(OSRoot, "os", {
    ...{ issuingCA: root, certSANIPs: [], certSANDNSNames: [], token: "", acceptedCAs: [root] },
  });
  const server = await issueServer(root, { now: NOW });
  const audit: AuditEntry[] = [];
  const asked: MemberAsker[] = [];
  const options = { cluster: clusterStoreIn(store), store, clock, log: silentLogger, systemClock };
  const denials = await openDenials(options);
  const membership = openMembership({ ...options, random: systemRandom, apiPort: () => 50000 });
  const node = await runNode({
    ...{ store, clock, kinds },
    material: {
      ...{ key: server.key, cert: server.crt, ca: [root.crt] },
      client: await issueClient(root, ["os:impersonator"], { now: NOW }), // it could pass requests on
    },
    record: async (entry) => void audit.push(entry),
    ports: {
      build: { sha: "", built: "" },
      applyConfiguration: () => Promise.reject(new Error("not here")),
      issueClientConfiguration: () => Promise.reject(new Error("not here")),
      denials,
      membership,
      async renewNode(asker) {
        asked.push(asker);
        return renewed;
      },
    },
  });
  denials.enforceAt(node.apid);
  const open: NodeServiceClient[] = [];
  const client = (identity: KeyedPem) => {
    const [ssl, common] = clientCredentials(root, identity);
    const made = new NodeServiceClient(`ipv4:127.0.0.1:${node.apid.port}`, ssl, common);
    open.push(made);
    return made;
  };
  return {
    ...{ clock, root, store, audit, asked, client, lines: node.lines },
    member: (name: string) => joinedMember(store, root, name, {}, NOW),
    async [Symbol.asyncDispose]() {
      for (const made of open) made.close();
      membership.close();
      denials.close();
      await node[Symbol.asyncDispose]();
    },
  };
}

const signing = { requestId: "", servingCsr: Buffer.alloc(0), identityCsr: Buffer.alloc(0) };

test("a node renews, reports and leaves for itself, by the certificate of its connection", async () => {
  await using t = await served();
  const { identity, nodeId, certificate } = await t.member("worker-1");
  const node = t.client(identity);
  const answer = await reply<RenewNodeResponse>((done) => node.renew({ signing }, done));
  expect(answer.issued?.machineType).toBe("worker");
  expect(t.asked.map((asker) => asker.certificate.fingerprint)).toEqual([certificate.fingerprint]);
  expect(t.asked[0]?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(await reply((done) => node.report(reportOf("worker-1"), done))).toEqual({
    ...{ time: new Date(NOW), nextWithin: 300 },
  });
  expect(await t.store.get(MemberReport, nodeId)).toBeDefined();
  expect(await reply((done) => node.leave({}, done))).toEqual({});
  expect(await t.store.list(MemberRecord)).toEqual([]);
  expect(await t.store.get(DeniedCertificate, certificate.fingerprint)).toBeDefined();
  const outcomes = t.audit.map(({ method, outcome, subject }) => [method, outcome, subject]);
  const subject = `O = trustplane:node, CN = ${nodeId}`;
  expect(outcomes).toEqual(
    ["Renew", "Leave"].flatMap((name) =>
      ["BEGUN", "OK"].map((each) => [`/trustplane.v1.NodeService/${name}`, each, subject]),
    ),
  );
});

test("what it reports of another is refused, and on record", async () => {
  await using t = await served();
  const { identity } = await t.member("worker-1");
  await t.member("worker-2");
  const node = t.client(identity);
  await expect(reply((done) => node.report(reportOf("worker-2"), done))).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: expect.stringContaining('is on record as "worker-1.example"') as string,
  });
  expect(t.audit.map(({ method, outcome }) => [method, outcome])).toEqual([
    ["/trustplane.v1.NodeService/Report", "PERMISSION_DENIED"],
  ]);
});

test("a call that names a node is refused, whichever it names", async () => {
  await using t = await served();
  const { identity } = await t.member("worker-1");
  const node = t.client(identity);
  for (const names of [
    { node: "127.0.0.1" },
    { node: "192.0.2.9" },
    { nodes: "127.0.0.1" },
    { nodes: "192.0.2.9,192.0.2.10" },
  ]) {
    const call = reply((done) => node.report(reportOf("worker-1"), headers(names), done));
    await expect(call).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    const watch = node.watch({}, headers(names));
    const error = await new Promise<ServiceError>((resolve) => watch.on("error", resolve));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
  }
  expect(await t.store.list(MemberReport)).toEqual([]);
});

test("who says that it asks for a node is not served, also one that may pass requests on", async () => {
  await using t = await served();
  const { nodeId } = await t.member("worker-1");
  const request = { commonName: nodeId, now: NOW };
  const refused = async (roles: readonly string[], said: Record<string, string>) => {
    const node = t.client(await issueClient(t.root, roles, request));
    for (const call of [
      () => reply((done) => node.report(reportOf("worker-1"), headers(said), done)),
      () => reply((done) => node.renew({ signing }, headers(said), done)),
      () => reply((done) => node.leave({}, headers(said), done)),
    ])
      await expect(call()).rejects.toMatchObject({
        ...{ code: status.PERMISSION_DENIED, details: "not authorized" },
      });
  };
  await refused(["os:admin"], {});
  await refused(["os:admin"], { "talos-role": "trustplane:node" });
  await refused(["os:impersonator"], { "talos-role": "trustplane:node", proxyfrom: "127.0.0.2" });
  expect(t.asked).toEqual([]);
  expect(await t.store.list(MemberRecord)).toHaveLength(1);
});

test("joining is not asked of apid", async () => {
  await using t = await served();
  const { identity } = await t.member("worker-1");
  const node = t.client(identity);
  const join = {
    signing,
    nodeId: "",
    formerCrt: Buffer.alloc(0),
    formerSignature: Buffer.alloc(0),
  };
  await expect(reply((done) => node.join(join, done))).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
  });
});

/** What comes of a watch, and its end. */
function watched(node: NodeServiceClient) {
  const stream = node.watch({});
  const messages: WatchNodeResponse[] = [];
  const waiting: (() => void)[] = [];
  stream.on("data", (message: WatchNodeResponse) => {
    messages.push(message);
    waiting.splice(0).forEach((look) => look());
  });
  const end = new Promise<ServiceError>((resolve) => stream.on("error", resolve));
  const first = new Promise<void>((resolve) => {
    if (messages.length > 0) resolve();
    else waiting.push(resolve);
  });
  return { stream, messages, first, end };
}

test("a watch tells at once, and ends with the certificate that it was opened with", async () => {
  await using t = await served();
  const { identity, certificate } = await t.member("worker-1");
  const watch = watched(t.client(identity));
  await watch.first;
  expect(watch.messages[0]?.members.map(({ hostname }) => hostname)).toEqual([
    "worker-1.example",
    "cp-1",
  ]);
  t.clock.advanceTo(certificate.notAfter);
  t.clock.advanceTo(after(certificate.notAfter, seconds(30)));
  const { code, details } = await watch.end;
  expect([code, details]).toEqual([status.UNAVAILABLE, "client certificate has ended"]);
});

test("a watch of a member that is removed ends, and so do its connections", async () => {
  await using t = await served();
  const { identity, asker } = await t.member("worker-1");
  const node = t.client(identity);
  const watch = watched(node);
  await watch.first;
  const other = t.client(identity);
  await reply((done) => other.leave({}, done));
  t.clock.advanceTo(after(NOW, seconds(2)));
  expect((await watch.end).code).toBe(status.PERMISSION_DENIED);
  t.clock.advanceTo(after(NOW, seconds(40)));
  await expect(reply((done) => node.report(reportOf("worker-1"), done))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
  expect(asker.certificate.fingerprint).toBe(readCertificate(identity.crt).fingerprint);
});

test("an identity of the same name that is on no record is no member", async () => {
  await using t = await served();
  const { nodeId } = await t.member("worker-1");
  const request = { profile: leafProfiles.nodeIdentity, authority: t.root, now: NOW };
  const node = t.client(await issueLeaf({ ...request, commonName: nodeId }));
  await expect(reply((done) => node.report(reportOf("worker-1"), done))).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: expect.stringContaining("is none that its member has on record") as string,
  });
});
