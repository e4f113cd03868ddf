import { readCertificate } from "#pki";
import { AcceptedRoot, CertificateStatus, EtcdSecrets } from "#resources";
import { at, days, hours } from "#runtime";
import { expect, test } from "vitest";
import { beforeRootsEnd, mountNode, START } from "../control-plane.ts";

const everyone = [
  "admin",
  "aggregator-ca",
  "apid-client",
  "apid-server",
  "apiserver-kubelet-client",
  "controller-manager",
  "etcd-admin",
  "etcd-apiserver-client",
  "etcd-ca",
  "etcd-peer",
  "etcd-server",
  "front-proxy-client",
  "k8s-ca",
  "kube-apiserver",
  "localhost-admin",
  "os-ca",
  "scheduler",
  "trustd-server",
];

const statesOf = async (node: Awaited<ReturnType<typeof mountNode>>) =>
  Object.fromEntries(
    (await node.store.list(CertificateStatus)).map(({ metadata, spec }) => [metadata.id, spec]),
  );

test("every certificate of a control plane is there, valid, with a chain to its root", async () => {
  await using node = await mountNode();
  const states = await statesOf(node);
  expect(Object.keys(states)).toEqual(everyone);
  for (const [id, status] of Object.entries(states)) {
    expect(status, id).toMatchObject({ state: "Valid", chain: "ok", lastError: "" });
  }
});

test("public facts only: no status holds a private key", async () => {
  await using node = await mountNode();
  expect(JSON.stringify(await statesOf(node))).not.toContain("PRIVATE KEY");
});

test("leaves that wait for the clock are missing, and say what they wait for; apid does not wait", async () => {
  await using node = await mountNode({ time: { synced: false } });
  const states = await statesOf(node);
  expect(states["apid-server"]?.state).toBe("Valid");
  expect(states["trustd-server"]?.state).toBe("Valid");
  expect(states["etcd-server"]).toMatchObject({ state: "Missing" });
  expect(states["etcd-server"]?.why).toMatch(/TimeStatuses.*not ready/);
});

test("they are issued once the clock is right", async () => {
  await using node = await mountNode({ time: { synced: false } });
  node.time.synced = true;
  await node.advance(days(0.01));
  expect((await statesOf(node))["etcd-server"]?.state).toBe("Valid");
});

test("the status carries the facts of the certificate that is held", async () => {
  await using node = await mountNode();
  const held = node.spec(EtcdSecrets, "etcd");
  const certificate = readCertificate(held?.etcd?.crt ?? "");
  const status = (await statesOf(node))["etcd-server"];
  expect(status?.spkiFingerprint).toBe(certificate.spkiFingerprint);
  expect(BigInt(`0x${status?.serialNumber ?? "0"}`)).toBe(certificate.serialNumber);
  expect(status?.dnsNames).toContain("cp-1.example.test");
  expect(status?.source).toBe("EtcdSecrets.secrets.talos.dev(secrets/etcd)");
});

test("a leaf that ends with its root says that only a new root helps", async () => {
  await using node = await mountNode();
  expect((await statesOf(node))["etcd-server"]).toMatchObject({
    renewAt: "",
    why: "ends with its root: replaced when the root is",
  });
});

test("a day's leaf is renewed in time, day after day, and never out of its validity", async () => {
  await using node = await mountNode();
  for (let hour = 0; hour < 72; hour++) {
    await node.advance(hours(1));
    const status = (await statesOf(node))["apid-server"];
    const now = START + hours(hour + 1);
    expect(status?.state).toBe("Valid");
    expect(at(status?.notAfter ?? "")).toBeGreaterThan(now);
    expect(at(status?.notBefore ?? "")).toBeLessThan(now);
  }
});

test("an accepted authority is listed beside the issuing one", async () => {
  await using node = await mountNode();
  const other = await mountNode();
  const crt = other.spec(EtcdSecrets, "etcd")?.etcdAdmin?.crt ?? "";
  await node.create(AcceptedRoot, "etcd", { count: 1, acceptedCAs: [{ crt }], acceptedKeys: [] });
  expect((await statesOf(node))["etcd-accepted-1"]).toMatchObject({ issuer: "O = etcd" });
  await other[Symbol.asyncDispose]();
});

test("after the roots have ended everything is expired, and nothing was dropped", async () => {
  await using node = await mountNode({ now: beforeRootsEnd(days(10)) });
  await node.advance(days(20));
  const states = await statesOf(node);
  expect(Object.keys(states)).toEqual(everyone);
  expect(states["os-ca"]?.state).toBe("Expired");
  expect(states["apid-server"]?.why).toMatch(/^ended on/);
});

test("an accepted authority that cannot be read says so, and nothing else is held back", async () => {
  await using node = await mountNode();
  const crt = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  await node.create(AcceptedRoot, "etcd", { count: 1, acceptedCAs: [{ crt }], acceptedKeys: [] });
  const states = await statesOf(node);
  expect(states["etcd-accepted-1"]).toMatchObject({ state: "Untrusted" });
  expect(states["etcd-server"]?.state).toBe("Valid");
});
