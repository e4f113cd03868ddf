/** Lines 13 and 14 of talosctl-wire.md §8: what a client goes by when it picks a certificate. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { applyConfigPatches, readConfigPatch } from "#config";
import { readCertificate, writePem, type KeyedPem } from "#pki";
import { opensslKey } from "../../../../src/apps/rpc/openssl-key.ts";
import {
  ApplyConfigurationRequest_Mode as Mode,
  MachineServiceService as Machine,
} from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { untar } from "../../untar.ts";
import { issueClient, issueRoot } from "../running-node.ts";
import { NODE, startControlPlane, type ControlPlane } from "./control-plane.ts";
import { ask, askAll, checkVersion, get } from "./sequences.ts";
import { goValue } from "./specs.ts";
import type { Talosctl } from "./talosctl.ts";

let node: ControlPlane;
let talosctl: Talosctl;
beforeAll(async () => {
  node = await startControlPlane();
  talosctl = await node.dial();
});
afterAll(async () => {
  await talosctl[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

const pem = (base64: string) => Buffer.from(base64, "base64").toString();

/** Every certificate of ours in a value, with the authority that stands beside it. */
function pairsIn(value: unknown): KeyedPem[] {
  if (typeof value !== "object" || value === null) return [];
  const own = value as Partial<KeyedPem>;
  const pair = typeof own.crt === "string" && own.key ? [own as KeyedPem] : [];
  return [...pair, ...Object.values(value).flatMap(pairsIn)];
}

/** What the node serves with, and what it hands out to administrators, with who signed it. */
async function issued(): Promise<(readonly [name: string, leaf: string, root: string])[]> {
  const served = writePem("CERTIFICATE", talosctl.presented);
  const request = { roles: ["os:admin"], crtTtl: { seconds: 60n, nanos: 0 } };
  const method = Machine.generateClientConfiguration;
  const { crt, ca } = await ask(talosctl, method, request, "node");
  const chunks = await askAll(talosctl, Machine.kubeconfig, {}, "node");
  const archive = untar(gunzipSync(Buffer.concat(chunks.map(({ bytes }) => bytes))));
  const kubeconfig = parse(archive[0]!.content) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  return [
    ["what apid presents", served, node.root.crt],
    ["config new", crt.toString(), ca.toString()],
    [
      "kubeconfig",
      pem(kubeconfig.users[0]!.user["client-certificate-data"]!),
      pem(kubeconfig.clusters[0]!.cluster["certificate-authority-data"]!),
    ],
    ...(await held("ApiCertificates.secrets.talos.dev", "api", "OSRootSecrets", "os")),
    ...(await held("TrustdCertificates.secrets.talos.dev", "trustd", "OSRootSecrets", "os")),
    ...(await held("EtcdSecrets.secrets.talos.dev", "etcd", "EtcdRootSecrets", "etcd")),
  ];
}

async function held(type: string, id: string, rootType: string, rootId: string) {
  const valueOf = async (kind: string, name: string) =>
    goValue((await get(talosctl, "secrets", kind, name))!.spec!.yamlSpec);
  const [root] = pairsIn(await valueOf(`${rootType}.secrets.talos.dev`, rootId));
  const leaves = pairsIn(await valueOf(type, id));
  expect(leaves, type).not.toEqual([]);
  return leaves.map(({ crt }) => [type, pem(crt), pem(root!.crt)] as const);
}

const trust = async (...roots: readonly KeyedPem[]) => {
  const entries = roots.map(({ crt }) => `{crt: ${Buffer.from(crt).toString("base64")}}`);
  const patch = readConfigPatch(`machine: {acceptedCAs: [${entries.join()}]}`);
  const data = Buffer.from(applyConfigPatches(node.configuration, [patch]));
  const request = { data, mode: Mode.AUTO, dryRun: false, tryModeTimeout: undefined };
  const { warnings } = await ask(talosctl, Machine.applyConfiguration, request, "node");
  expect(warnings).toEqual([]);
};

/** What the server says in the clear during a handshake of TLS 1.2. */
async function handshake(identity: KeyedPem): Promise<Buffer> {
  const heard: Buffer[] = [];
  const proxy = createServer((inward) => {
    const outward = connect(node.port, NODE);
    inward.pipe(outward).pipe(inward);
    outward.on("data", (chunk: Buffer) => heard.push(chunk));
    for (const socket of [inward, outward]) socket.on("error", () => undefined);
  }).listen(0, NODE);
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  const socket = connectTls({
    ...{ host: NODE, port, ca: node.root.crt, cert: identity.crt, key: opensslKey(identity.key) },
    ...{ ALPNProtocols: ["h2"], minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
  });
  await once(socket, "secureConnect");
  socket.destroy();
  proxy.close();
  await once(proxy, "close");
  return Buffer.concat(heard);
}

test("13: every leaf names the key of its issuer, and the second of two namesakes is believed too", async () => {
  for (const [name, leaf, root] of await issued()) {
    const { authorityKeyId } = readCertificate(leaf);
    expect(authorityKeyId, name).toBeDefined();
    expect(authorityKeyId, name).toEqual(readCertificate(root).subjectKeyId);
  }
  const [second, third] = [await issueRoot(), await issueRoot()];
  expect(readCertificate(second.crt).subject.der).toEqual(
    readCertificate(node.root.crt).subject.der,
  );
  await trust(second, third);
  for (const root of [node.root, second, third]) {
    const identity = await issueClient(root);
    await using somebody = await node.dial(undefined, { identity });
    await checkVersion(somebody, "node");
  }
  await trust();
});

test("14: each issuer is the subject of its authority byte by byte, and clients are told of just that", async () => {
  for (const [name, leaf, root] of await issued())
    expect(readCertificate(leaf).issuer.der, name).toEqual(readCertificate(root).subject.der);
  const name = Buffer.from(readCertificate(node.root.crt).subject.der);
  const listed = Buffer.concat([Buffer.from([0, name.length]), name]);
  expect((await handshake(await issueClient(node.root))).includes(listed)).toBe(true);
});
