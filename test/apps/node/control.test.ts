/** Renewing and denying on a node whose controllers are there, by the command line. */
import { expect, test } from "vitest";
import { writeTalosconfig } from "#config";
import { readCertificate } from "#pki";
import { CertificateStatus, DeniedCertificate, RenewalRequest } from "#resources";
import { after, minutes, seconds } from "#runtime";
import { openDenials } from "../../../src/apps/node/denials.ts";
import { issueClient, recordingLogger } from "../apid/running-node.ts";
import { START } from "../../controllers/control-plane.ts";
import { controlled } from "./controlled-node.ts";

const leaves = [
  ...["admin", "apid-client", "apid-server", "apiserver-kubelet-client", "controller-manager"],
  ...["etcd-admin", "etcd-apiserver-client", "etcd-peer", "etcd-server", "front-proxy-client"],
  ...["kube-apiserver", "localhost-admin", "scheduler", "trustd-server"],
];

test("each leaf is renewed by its id, alone, with the key that it has", async () => {
  await using t = await controlled();
  for (const id of leaves) {
    const before = new Map(leaves.map((name) => [name, t.held(name)]));
    const { status, stdout, stderr } = await t.run("renew", id);
    expect([id, status, stderr]).toEqual([id, 0, ""]);
    const { serialNumber, notAfter, spkiFingerprint, state } = t.held(id);
    expect(stdout.split("\n")[1]?.split(/ {3,}/)).toEqual([
      ...["127.0.0.1", id, serialNumber, notAfter],
    ]);
    expect(serialNumber).not.toBe(before.get(id)?.serialNumber);
    expect([spkiFingerprint, state]).toEqual([before.get(id)?.spkiFingerprint, "Valid"]);
    for (const other of leaves.filter((name) => name !== id))
      expect([id, other, t.held(other).serialNumber]).toEqual([
        ...[id, other, before.get(other)?.serialNumber],
      ]);
  }
  expect(t.node.list(RenewalRequest)).toEqual([]);
});

test("rekey makes a new key, renew --all renews every leaf", async () => {
  await using t = await controlled();
  const before = t.held("etcd-peer");
  expect((await t.run("rekey", "etcd-peer")).status).toBe(0);
  expect(t.held("etcd-peer").spkiFingerprint).not.toBe(before.spkiFingerprint);
  const serials = () => leaves.map((id) => t.held(id).serialNumber);
  const held = serials();
  const { stdout } = await t.run("renew", "--all");
  expect(stdout.trim().split("\n")).toHaveLength(1 + leaves.length);
  for (const [index, serial] of serials().entries()) expect(serial).not.toBe(held[index]);
});

const completionOf =
  (t: Awaited<ReturnType<typeof controlled>>) =>
  async (...words: string[]) =>
    (await t.cli.run("__complete", "--", "--talosconfig", "talosconfig", ...words)).stdout
      .trim()
      .split("\n");

test("what may be renewed is completed: leaves, and no authority", async () => {
  await using t = await controlled();
  expect(await completionOf(t)("renew", "")).toEqual([...leaves].sort());
  expect(await completionOf(t)("rekey", "admin", "etcd-p")).toEqual(["etcd-peer"]);
});

test("a request is spent by one new certificate, also when the clock goes back", async () => {
  await using t = await controlled();
  const { serialNumber } = t.held("apid-server");
  const request = { serialNumber, newKey: false, since: "2027-03-01T12:00:00Z" };
  await t.node.create(RenewalRequest, "apid-server", request); // and nobody takes it back
  const first = t.held("apid-server").serialNumber;
  expect(first).not.toBe(serialNumber);
  t.clock.stepTo(after(START, -minutes(2)));
  await t.node.settled();
  await t.node.advance(minutes(1));
  expect(t.held("apid-server").serialNumber).toBe(first);
});

test("what is no leaf is refused by name", async () => {
  await using t = await controlled();
  expect((await t.run("renew", "apid-srever")).stderr).toMatch(
    /code = NotFound desc = this node has no certificate "apid-srever": the leaves here are admin, /,
  );
  expect((await t.run("renew", "os-ca")).stderr).toMatch(
    /code = FailedPrecondition desc = os-ca is an authority, which is not renewed but rotated/,
  );
  expect((await t.run("renew")).status).toBe(2);
  expect((await t.run("renew", "--all", "os-ca")).status).toBe(2);
  expect((await t.run("rekey")).status).toBe(2);
});

test("a leaf that cannot be renewed in ten seconds is named, with what it waits for", async () => {
  await using t = await controlled({ synced: false });
  const { serialNumber } = t.held("apid-server");
  const running = t.run("renew", "etcd-server", "apid-server");
  const matches = ({ spec }: { spec: { serialNumber: string } }) =>
    spec.serialNumber !== serialNumber;
  await t.store.watchFor(RenewalRequest, "etcd-server", { types: ["created"] });
  await t.store.watchFor(CertificateStatus, "apid-server", { matches });
  await t.node.advance(seconds(11));
  const { status, stderr } = await running;
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /code = DeadlineExceeded desc = not renewed within 10 seconds, but still asked for: etcd-server \(waits for .*time.*\)$/im,
  );
  expect(stderr).not.toContain("apid-server (");
});

test("a denied certificate is turned away by its fingerprint, until it is denied no longer", async () => {
  await using t = await controlled();
  const reader = await issueClient(t.root, ["os:reader"]);
  await t.write(reader, "reader");
  await t.cli.write("reader.crt", reader.crt);
  const ask = () => t.cli.run("get", "certificatestatus", "--talosconfig", "reader");
  const { fingerprint } = readCertificate(reader.crt);
  const completed = completionOf(t);
  const colons = fingerprint.toUpperCase().replace(/(..)(?=.)/g, "$1:");
  const denied = await t.run("deny", colons, "--reason", "lost");
  expect([denied.status, denied.stderr]).toEqual([0, ""]);
  expect(denied.stdout).toContain(fingerprint);
  expect((await ask()).stderr).not.toBe("");
  expect(await t.line("client turned away")).toMatchObject({ reason: "certificate is denied" });
  const list = (await t.run("deny", "list")).stdout;
  expect(list).toMatch(new RegExp(`127.0.0.1 +${fingerprint} +2027-03-01T12:00:00Z +lost\n`));
  expect(await t.store.list(DeniedCertificate)).toHaveLength(1);
  expect(await completed("undeny", "")).toEqual([fingerprint]);
  expect((await t.run("undeny", "--certificate", "reader.crt")).status).toBe(0);
  expect((await t.run("undeny", fingerprint)).stderr).toContain(
    `${fingerprint} is not denied here`,
  );
  expect((await t.run("deny", "list")).stdout).toBe("NODE   FINGERPRINT   SINCE   REASON\n");
});

test("one who denies the own certificate is warned, and is out", async () => {
  await using t = await controlled();
  const { fingerprint } = readCertificate(t.admin.crt);
  const { status, stderr } = await t.run("deny", fingerprint);
  expect(status).toBe(0);
  expect(stderr).toMatch(/^WARNING: this is the certificate that you ask with/);
  expect((await t.run("deny", "list")).status).toBe(1);
});

test("denials are in force from the start of a node", async () => {
  await using t = await controlled();
  await t.run("deny", "ab".repeat(32));
  const seen: string[][] = [];
  const again = await openDenials({ store: t.store, clock: t.clock, log: recordingLogger().log });
  again.enforceAt({ deny: (set) => void seen.push([...set]), connectionsUnder: () => 0 });
  expect(seen[0]).toEqual(["ab".repeat(32)]);
  again.close();
});

test("what is no fingerprint is wrong usage", async () => {
  await using t = await controlled();
  for (const argv of [
    ["deny"],
    ["deny", "xyz"],
    ["undeny", "12"],
    ["deny", "ab", "--certificate", "x"],
  ])
    expect((await t.run(...argv)).status).toBe(2);
});

test("several nodes renew and deny, each for itself; one that is down is named, and stops no other", async () => {
  await using one = await controlled();
  await using two = await controlled(undefined, { address: "127.0.0.2", root: one.root });
  const endpoints = [one, two].map(({ apid }, i) => `127.0.0.${i + 1}:${apid.port}`);
  const nodes = ["127.0.0.1", "127.0.0.2"];
  const context = { endpoints, nodes, ca: one.root.crt, ...one.admin };
  await one.cli.write("both", writeTalosconfig({ context: "c", contexts: { c: context } }));
  const run = (...argv: string[]) => one.cli.run(...argv, "--talosconfig", "both");
  const rows = ({ stdout }: { stdout: string }) =>
    stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((row) => row.split(/ {3,}/).slice(0, 3));
  const serial = (node: typeof one) => node.held("etcd-server").serialNumber;
  const before = [serial(one), serial(two)];
  const renewed = await run("renew", "etcd-server");
  expect([renewed.status, renewed.stderr]).toEqual([0, ""]);
  expect(rows(renewed)).toEqual([
    ["127.0.0.1", "etcd-server", serial(one)],
    ["127.0.0.2", "etcd-server", serial(two)],
  ]);
  expect(new Set([...before, serial(one), serial(two)]).size).toBe(4);

  const fingerprint = "ab".repeat(32);
  const counted = nodes.map((node) => [node, fingerprint, "0"]);
  expect(rows(await run("deny", fingerprint))).toEqual(counted);
  expect(rows(await run("undeny", fingerprint, "-n", "127.0.0.2"))).toHaveLength(1);
  expect(rows(await run("deny", "list")).map(([node]) => node)).toEqual(["127.0.0.1"]);

  await two.apid.close();
  for (const verb of [
    ["deny", fingerprint],
    ["renew", "etcd-server"],
    ["deny", "list"],
  ]) {
    const { status, stdout, stderr } = await run(...verb);
    expect([verb, status]).toEqual([verb, 1]);
    expect(rows({ stdout }).map(([node]) => node)).toEqual(["127.0.0.1"]);
    expect(stderr).toContain("127.0.0.2");
  }
});
