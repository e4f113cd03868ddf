import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { ListenerMaterialError } from "../../../src/apps/apid/index.ts";
import { connect } from "node:tls";
import { readCertificate } from "#pki";
import { after, hours, manualClock, seconds, systemClock } from "#runtime";
import {
  issueClient,
  issueRoot,
  issueServer,
  Note,
  runNode,
  type RunningNode,
} from "./running-node.ts";

/** Fingerprint of what the node presents to the next client. */
const presented = ({ apid }: RunningNode) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({
      ...{ host: "127.0.0.1", port: apid.port, rejectUnauthorized: false, ALPNProtocols: ["h2"] },
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(socket.getPeerX509Certificate()!.fingerprint256.replaceAll(":", "").toLowerCase());
      socket.destroy();
    });
  });

const fingerprint = ({ crt }: { crt: string }) => readCertificate(crt).fingerprint;

test("a stream that is open goes on, new clients see the new certificate and authorities", async () => {
  await using node = await runNode();
  const events = (await node.admin()).watch(Note)[Symbol.asyncIterator]();
  expect((await events.next()).value).toEqual({ type: "bootstrapped" });

  const nextRoot = await issueRoot();
  const nextServer = await issueServer(nextRoot);
  const ca = [node.root.crt, nextRoot.crt];
  node.apid.rotate({ key: nextServer.key, cert: nextServer.crt, ca });
  expect(await presented(node)).toBe(fingerprint(nextServer));

  const newcomer = node.client(await issueClient(nextRoot), { ca: nextRoot.crt });
  expect((await newcomer.version()).tag).toBe("v1.14.0");
  const veteran = node.client(await issueClient(node.root), { ca: nextRoot.crt });
  expect((await veteran.version()).tag).toBe("v1.14.0");

  await node.store.create(Note, "a", { text: "after" });
  expect((await events.next()).value).toMatchObject({ type: "created" });
  await events.return?.();
});

test("two authorities of one name are told apart, in any order", async () => {
  await using node = await runNode();
  const other = await issueRoot();
  for (const ca of [
    [node.root.crt, other.crt],
    [other.crt, node.root.crt],
  ]) {
    node.apid.rotate({ ...node.material, ca });
    for (const authority of [node.root, other])
      await expect(node.client(await issueClient(authority)).version()).resolves.toBeDefined();
  }
});

test("an authority that is dropped takes its clients along, after 30 seconds", async () => {
  const clock = manualClock(systemClock.now());
  await using node = await runNode({ clock });
  const nextRoot = await issueRoot();
  node.apid.rotate({ ...node.material, ca: [node.root.crt, nextRoot.crt] });
  const newcomer = node.client(await issueClient(nextRoot));
  const staying = newcomer.watch(Note)[Symbol.asyncIterator]();
  const leaving = (await node.admin()).watch(Note)[Symbol.asyncIterator]();
  await Promise.all([staying.next(), leaving.next()]);
  node.apid.rotate({ ...node.material, ca: [nextRoot.crt] });
  expect(await node.line("accepted no longer")).toBeDefined();
  await node.store.create(Note, "meanwhile", { text: "" });
  expect((await leaving.next()).value).toMatchObject({ type: "created" });
  expect((await staying.next()).value).toMatchObject({ type: "created" });
  clock.advanceTo(after(clock.now(), seconds(30)));
  await expect(leaving.next()).rejects.toMatchObject({ status: status.UNAVAILABLE });
  await expect((await node.admin()).version()).rejects.toMatchObject({
    code: "ERR_CLIENT_CERTIFICATE_REJECTED",
  });
  await node.store.create(Note, "a", { text: "" });
  expect((await staying.next()).value).toMatchObject({ type: "created" });
  await staying.return?.();
});

test("the 30 seconds pass however the clock is set meanwhile", async () => {
  const clock = manualClock(systemClock.now());
  await using node = await runNode({ clock });
  const leaving = (await node.admin()).watch(Note)[Symbol.asyncIterator]();
  await leaving.next();
  node.apid.rotate({ ...node.material, ca: [(await issueRoot()).crt] });
  await node.line("accepted no longer");
  clock.stepTo(after(clock.now(), -hours(1)));
  clock.advanceTo(after(clock.now(), seconds(29)));
  await node.store.create(Note, "meanwhile", { text: "" });
  expect((await leaving.next()).value).toMatchObject({ type: "created" });
  clock.advanceTo(after(clock.now(), seconds(1)));
  await expect(leaving.next()).rejects.toMatchObject({ status: status.UNAVAILABLE });
});

test("material that does not fit together is refused, and what was in force stays", async () => {
  await using node = await runNode();
  const { material } = node;
  const other = await issueServer(node.root);
  const bad = [
    { ...material, key: other.key },
    { ...material, key: "no key" },
    { ...material, cert: "no certificate" },
    { ...material, ca: ["no certificate"] },
  ];
  for (const attempt of bad) {
    expect(() => node.apid.rotate(attempt)).toThrow(ListenerMaterialError);
    expect(await presented(node)).toBe(fingerprint(node.server));
  }
  await expect((await node.admin()).version()).resolves.toBeDefined();
});

test("no key is in the message of a refusal", async () => {
  await using node = await runNode();
  const key = node.server.key.replace("PRIVATE KEY-----", "PRIVATE KEY-----\nx");
  try {
    node.apid.rotate({ ...node.material, key });
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toContain(node.server.key.split("\n")[1]);
  }
});

test("a key under Talos' label is taken", async () => {
  await using node = await runNode();
  expect(node.server.key).toContain("ED25519 PRIVATE KEY");
  expect(await presented(node)).toBe(fingerprint(node.server));
});
