/** The signer: what it answers, keeps, and answers again. */
import {
  AnsweredRequest,
  DeniedCertificate,
  IssuedCertificate,
  JoinToken,
  kinds,
  MemberRecord,
  OSRoot,
} from "#resources";
import { commonName, compilePolicy, formatName, withholding } from "#pki";
import {
  after,
  days,
  hours,
  manualClock,
  type Resource,
  rfc3339,
  silentLogger,
  type SpecOf,
} from "#runtime";
import { statusOf } from "#runtime/rpc";
import { openMemoryStore, openSqliteStore } from "#runtime/store";
import { status } from "@grpc/grpc-js";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { collectEnded } from "../../../src/apps/trustd/collector.ts";
import { trustdStatuses } from "../../../src/apps/trustd/errors.ts";
import {
  certificateIn,
  createToken,
  csr,
  fill,
  formerRoot,
  ID,
  joining,
  keys,
  MACHINE_TOKEN,
  openCluster,
  PEER,
  root,
  signing,
  START,
} from "./cluster.ts";

const TOKEN = "abcdef.0123456789abcdef";
const fingerprintIn = (pem: Uint8Array) => certificateIn(pem).fingerprint;
const asker = (token: string | undefined = TOKEN, peer = PEER) => ({ peer, token });
const machine = asker(MACHINE_TOKEN);

test("who has machine.token gets a serving certificate without an organization, and every authority", async () => {
  await using cluster = await openCluster();
  const { crt, ca } = await cluster.signer.certificate(machine, {
    csr: await csr({ organizations: ["os:admin"] }),
  });
  const certificate = certificateIn(crt);
  expect(formatName(certificate.subject)).toBe("CN = worker-1.example.com");
  expect(certificate.extKeyUsages).toEqual(["serverAuth"]);
  expect(certificate.dnsNames).toEqual(["worker-1", "worker-1.example.com"]);
  expect(certificate.ipAddresses).toEqual(["10.0.0.7", "127.0.0.1"]);
  expect(ca.toString()).toBe(formerRoot.crt + root.crt);
  expect(await cluster.store.list(MemberRecord)).toEqual([]);
  const [issued] = await cluster.store.list(IssuedCertificate);
  expect(issued?.spec).toMatchObject({ token: "machine.token", nodeId: "", peer: PEER });
});

test("a node that joins is on record with what it may be, and has an identity that names it", async () => {
  await using cluster = await openCluster();
  await cluster.token(TOKEN, { uses: 1, machineType: "controlplane" });
  const { issued } = await cluster.signer.join(asker(), await joining(ID.worker));
  expect(issued).toMatchObject({ machineType: "controlplane", apiPort: 50000 });
  const identity = certificateIn(issued?.identityCrt ?? Buffer.of());
  expect(formatName(identity.subject)).toBe(`O = trustplane:node, CN = ${ID.worker}`);
  expect(identity.extKeyUsages).toEqual(["clientAuth"]);
  expect(identity.subjectAltNames).toEqual([]);
  const record = await cluster.store.get(MemberRecord, ID.worker);
  expect(record?.spec).toEqual({
    hostname: "worker-1.example.com",
    dnsNames: ["worker-1", "worker-1.example.com"],
    addresses: ["10.0.0.7"],
    machineType: "controlplane",
    joined: rfc3339(START),
    token: "abcdef",
    bounds: null,
    identities: [identity.fingerprint],
    identityKeys: [Buffer.from(identity.spkiFingerprint, "base64").toString("hex")],
    notAfter: rfc3339(certificateIn(issued?.servingCrt ?? Buffer.of()).notAfter),
    apiPort: 0,
  });
  expect((await cluster.store.get(JoinToken, "abcdef"))?.spec.used).toBe(1);
});

test("a repeat has the same answer and spends nothing, also in another process", async () => {
  await using cluster = await openCluster();
  await cluster.token(TOKEN, { uses: 1 });
  const request = await joining(ID.worker);
  const [first, second] = await Promise.all([
    cluster.signer.join(asker(), request),
    cluster.signer.join(asker(), request),
  ]);
  expect(second).toEqual(first);
  await using again = await openCluster({ store: cluster.store, clock: cluster.clock });
  expect(await again.signer.join(asker(), request)).toEqual(first);
  expect(await cluster.store.list(AnsweredRequest)).toHaveLength(1);
  expect((await cluster.store.get(JoinToken, "abcdef"))?.spec.used).toBe(1);
  await cluster.store.modify(JoinToken, "abcdef", (spec) => {
    spec.revoked = rfc3339(START);
  });
  await expect(cluster.signer.join(asker(), request)).rejects.toThrow(/abcdef was revoked/);
});

test("a repeat is answered from the file when the store was opened again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "trustplane-signer-"));
  const path = join(directory, "state.db");
  const request = await joining(ID.worker);
  const inTheFile = async () => {
    const store = await openSqliteStore({ path, kinds });
    if ((await store.list(OSRoot)).length === 0) {
      await fill(store);
      await createToken(store, TOKEN, { uses: 1 });
    }
    await using cluster = await openCluster({ store });
    const { issued } = await cluster.signer.join(asker(), request);
    const used = (await store.get(JoinToken, "abcdef"))?.spec.used;
    await store.close();
    return { used, serving: issued?.servingCrt, identity: issued?.identityCrt };
  };
  try {
    const first = await inTheFile();
    expect(await inTheFile()).toEqual(first);
    expect(first.used).toBe(1);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a single-use token is good for one of many who come at once", async () => {
  await using cluster = await openCluster();
  await cluster.token(TOKEN, { uses: 1 });
  const all = await Promise.all(
    Array.from({ length: 20 }, async (_, i) =>
      joining(String(i).padStart(44, "0"), {
        commonName: `w-${i}`,
        dnsNames: [`w-${i}`],
        ipAddresses: [`10.1.0.${i}`],
      }),
    ),
  );
  const ended = await Promise.allSettled(all.map((one) => cluster.signer.join(asker(), one)));
  expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await cluster.store.list(MemberRecord)).toHaveLength(1);
  expect(await cluster.store.list(IssuedCertificate)).toHaveLength(2);
});

test("of two nodes that ask for one name at once, one gets it", async () => {
  await using cluster = await openCluster();
  const ended = await Promise.allSettled(
    [ID.worker, ID.other].map(async (id) => cluster.signer.join(machine, await joining(id))),
  );
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("a node is let in again by the key of its former identity only, which may have ended", async () => {
  await using cluster = await openCluster();
  const { issued } = await cluster.signer.join(machine, await joining(ID.worker));
  const former = { crt: issued?.identityCrt ?? Buffer.of() };
  cluster.clock.advanceTo(after(START, hours(40)));
  const stranger = await joining(ID.worker);
  await expect(cluster.signer.join(machine, stranger)).rejects.toThrow(
    /on record under another key/,
  );
  const forged = { ...former, key: await keys.issueKey("P-256") };
  await expect(
    cluster.signer.join(machine, await joining(ID.worker, { former: forged })),
  ).rejects.toThrow(/formerSignature: it is not by the key of formerCrt/);
  const again = await cluster.signer.join(machine, await joining(ID.worker, { former }));
  const record = await cluster.store.get(MemberRecord, ID.worker);
  const identities = [former.crt, again.issued?.identityCrt ?? Buffer.of()].map(fingerprintIn);
  expect(record?.spec).toMatchObject({ joined: rfc3339(START), identities });
  cluster.clock.advanceTo(after(START, hours(80)));
  const lately = { crt: again.issued?.identityCrt ?? Buffer.of() };
  const third = await cluster.signer.join(machine, await joining(ID.worker, { former: lately }));
  const kept = [lately.crt, third.issued?.identityCrt ?? Buffer.of()].map(fingerprintIn);
  expect((await cluster.store.get(MemberRecord, ID.worker))?.spec.identities).toEqual(kept);
});

test("an identity that was denied does not let in, under whatever id", async () => {
  await using cluster = await openCluster();
  const { issued } = await cluster.signer.join(machine, await joining(ID.worker));
  const former = { crt: issued?.identityCrt ?? Buffer.of() };
  await cluster.store.destroy({ ...MemberRecord, id: ID.worker });
  await cluster.store.create(DeniedCertificate, certificateIn(former.crt).fingerprint, {
    reason: "",
    since: rfc3339(START),
  });
  await expect(cluster.signer.join(machine, await joining(ID.worker, { former }))).rejects.toThrow(
    /this identity was denied/,
  );
  await cluster.signer.join(machine, await joining(ID.worker)); // as one that lost its key
});

test("a member renews within its bounds, under its own name, and keeps what it was", async () => {
  await using cluster = await openCluster();
  await cluster.token(TOKEN, { uses: 1, bounds: { dnsNames: ["*.example.com"], addresses: [] } });
  const names = { dnsNames: ["worker-1.example.com"] };
  const { issued } = await cluster.signer.join(asker(), await joining(ID.worker, names));
  const certificate = certificateIn(issued?.identityCrt ?? Buffer.of());
  const member = { peer: PEER, certificate };
  cluster.clock.advanceTo(after(START, hours(12)));
  const request = {
    signing: await signing({
      commonName: "renamed.example.com",
      dnsNames: ["renamed.example.com"],
      ipAddresses: ["10.0.0.8", "127.0.0.1"],
    }),
  };
  const renewed = await cluster.signer.renew(member, request);
  expect(await cluster.signer.renew(member, request)).toEqual(renewed);
  const identity = certificateIn(renewed.issued?.identityCrt ?? Buffer.of());
  expect(commonName(identity.subject)).toBe(ID.worker);
  expect((await cluster.store.get(MemberRecord, ID.worker))?.spec).toMatchObject({
    hostname: "renamed.example.com",
    addresses: ["10.0.0.8"],
    token: "abcdef",
    identities: [certificate.fingerprint, identity.fingerprint],
  });
  const grown = {
    signing: await signing({ dnsNames: ["example.org"], commonName: "a.example.com" }),
  };
  await expect(cluster.signer.renew(member, grown)).rejects.toThrow(
    'refused by the rule "bounds": dnsNames: "example.org" is none of *.example.com',
  );
});

test("who is no member renews nothing", async () => {
  await using cluster = await openCluster();
  const { issued } = await cluster.signer.join(machine, await joining(ID.worker));
  const certificate = certificateIn(issued?.identityCrt ?? Buffer.of());
  await cluster.store.destroy({ ...MemberRecord, id: ID.worker });
  const renewing = cluster.signer.renew({ peer: PEER, certificate }, { signing: await signing() });
  await expect(renewing).rejects.toThrow(/is no member of this cluster/);
  const serving = certificateIn(issued?.servingCrt ?? Buffer.of());
  await expect(
    cluster.signer.renew({ peer: PEER, certificate: serving }, { signing: await signing() }),
  ).rejects.toThrow(/is not one of a node that joined/);
});

test("a policy that comes while a request is under way is the one that counts", async () => {
  const before = compilePolicy({});
  const since = compilePolicy({ profiles: { nodeServer: { dnsNames: ["*.example.org"] } } });
  let asked = 0; // once for each of two certificates
  await using cluster = await openCluster({ policy: () => (++asked <= 2 ? before : since) });
  const requested = cluster.signer.join(machine, await joining(ID.worker));
  await expect(requested).rejects.toThrow(/rule nodeServer.dnsNames, field /);
  expect(await cluster.store.list(MemberRecord)).toEqual([]);
});

test("while nobody knows the policy each call is answered that one has to be applied, and nothing is spent", async () => {
  const unknown = withholding("it is damaged");
  await using cluster = await openCluster({ policy: () => unknown });
  await cluster.token(TOKEN, { uses: 1 });
  for (const answer of [
    cluster.signer.join(asker(), await joining(ID.worker)),
    cluster.signer.certificate(asker(), { csr: await csr() }),
  ]) {
    const error: unknown = await answer.catch((reason: unknown) => reason);
    expect(statusOf(error, "", trustdStatuses)).toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringMatching(/\(it is damaged\): apply a policy$/) as string,
    });
  }
  expect((await cluster.store.get(JoinToken, "abcdef"))?.spec.used).toBe(0);
  expect(await cluster.store.list(IssuedCertificate)).toEqual([]);
});

test("what is kept of certificates goes a week after their end, and not with a clock that jumps ahead", async () => {
  await using cluster = await openCluster();
  await cluster.signer.join(machine, await joining(ID.worker));
  for (const passed of [days(2), days(7)]) {
    cluster.clock.advanceTo(after(START, passed));
    await settled();
  }
  expect(await cluster.store.list(IssuedCertificate)).toHaveLength(2);
  for (const passed of [days(8) + hours(1), days(8) + hours(2)]) {
    cluster.clock.advanceTo(after(START, passed));
    await settled();
  }
  expect(await cluster.store.list(IssuedCertificate)).toEqual([]);
  expect(await cluster.store.list(AnsweredRequest)).toEqual([]);
  expect(await cluster.store.list(MemberRecord)).toHaveLength(1);
});

test("one whose end is damaged is kept, and one that is gone already keeps no other", async () => {
  const clock = manualClock(START);
  const store = openMemoryStore({ clock });
  const kept: Resource<SpecOf<typeof AnsweredRequest>>[] = [];
  for (const [id, notAfter] of [
    ["damaged", "soon"],
    ["gone", rfc3339(START)],
    ["ended", rfc3339(START)],
  ] as const) {
    const spec = { nodeId: "", answered: "", notAfter, servingCrt: "", identityCrt: "" };
    kept.push(await store.create(AnsweredRequest, id, spec));
  }
  await store.destroy({ ...AnsweredRequest, id: "gone" });
  const stop = collectEnded({
    facts: { kept: () => kept },
    records: store,
    clock,
    log: silentLogger,
  });
  for (const passed of [days(8), days(8) + hours(1)]) {
    clock.advanceTo(after(START, passed));
    await settled();
    await settled();
  }
  stop();
  expect((await store.list(AnsweredRequest)).map(({ metadata }) => metadata.id)).toEqual([
    "damaged",
  ]);
});

const settled = async () => {
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
};

test("without a cluster store Talos' call is answered, and nothing that the cluster would keep", async () => {
  const whyNoClusterStore = "several control planes share no store yet";
  await using cluster = await openCluster({ whyNoClusterStore });
  await cluster.signer.certificate(machine, { csr: await csr() });
  await expect(cluster.signer.join(machine, await joining(ID.worker))).rejects.toMatchObject({
    code: "ERR_NO_CLUSTER_STORE",
    message: whyNoClusterStore,
  });
  await cluster.token(TOKEN);
  await expect(cluster.signer.certificate(asker(), { csr: await csr() })).rejects.toMatchObject({
    code: "ERR_NO_CLUSTER_STORE",
  });
});

test("what a token did, and what was refused, is on record without the token", async () => {
  await using cluster = await openCluster();
  await cluster.token(TOKEN, { uses: 1 });
  await cluster.signer.join(asker(), await joining(ID.worker));
  await expect(cluster.signer.join(asker(), await joining(ID.other))).rejects.toThrow(/is spent/);
  await expect(
    cluster.signer.certificate(asker("abcdef.wrong"), { csr: await csr() }),
  ).rejects.toThrow("invalid token");
  const refused = 'refused by the rule "token": token: abcdef is spent; ask for another one';
  expect(cluster.audit).toMatchObject([
    { outcome: "BEGUN", resource: `token abcdef, node ${ID.worker}`, peer: PEER },
    { outcome: "OK", resource: `token abcdef, node ${ID.worker}`, peer: PEER },
    { outcome: "PERMISSION_DENIED", reason: refused },
    { outcome: "UNAUTHENTICATED", reason: "invalid token", resource: "" },
  ]);
  expect(JSON.stringify(cluster.audit)).not.toMatch(/0123456789abcdef|wrong/);
});
