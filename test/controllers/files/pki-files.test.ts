import { readCertificate, signedBy, webCryptoKeys } from "#pki";
import {
  ACTIVE,
  ApiCertificates,
  FileSet,
  MachineConfig,
  OSRoot,
  PKIStatus,
  SecretsStatus,
} from "#resources";
import { expect, test } from "vitest";
import { generateMachineConfigs, issueBundle } from "#config";
import { type Logger, manualClock, silentLogger, systemRandom } from "#runtime";
import { createEngine } from "#runtime/engine";
import { openMemoryStore } from "#runtime/store";
import { pkiFilesController } from "../../../src/controllers/files/pki-files.ts";
import { mountNode, START } from "../control-plane.ts";

test("files stand where kubeadm and Talos put them", async () => {
  await using node = await mountNode();
  const names = Object.fromEntries(
    Object.entries(node.files).map(([directory, files]) => [directory, Object.keys(files).sort()]),
  );
  expect(names).toEqual({
    talos: [
      "apid-client.crt",
      "apid-client.key",
      "apid.crt",
      "apid.key",
      "ca.crt",
      "trustd.crt",
      "trustd.key",
    ],
    kubernetes: ["admin.conf", "controller-manager.conf", "scheduler.conf"],
    "kubernetes/pki": [
      "apiserver-etcd-client.crt",
      "apiserver-etcd-client.key",
      "apiserver-kubelet-client.crt",
      "apiserver-kubelet-client.key",
      "apiserver.crt",
      "apiserver.key",
      "ca.crt",
      "ca.key",
      "front-proxy-ca.crt",
      "front-proxy-client.crt",
      "front-proxy-client.key",
      "sa.key",
      "sa.pub",
    ],
    "kubernetes/pki/etcd": [
      "ca.crt",
      "healthcheck-client.crt",
      "healthcheck-client.key",
      "peer.crt",
      "peer.key",
      "server.crt",
      "server.key",
    ],
  });
});

test("no authority's key is written but the one that controller-manager signs with", async () => {
  await using node = await mountNode();
  const { issuingCA } = node.spec(OSRoot, "os") ?? {};
  const everything = JSON.stringify(node.files);
  expect(everything).not.toContain(JSON.stringify(issuingCA?.key).slice(1, -1));
  expect(node.files.talos?.["apid.crt"]).toBe(node.spec(ApiCertificates, "api")?.server.crt);
  expect(readCertificate(node.files.talos?.["ca.crt"] ?? "").isCa).toBe(true);
});

test("what is published is told, with a version that stands for the contents", async () => {
  await using node = await mountNode();
  expect(node.spec(FileSet, "kubernetes-pki-etcd")).toMatchObject({ ready: true, error: "" });
  expect(node.spec(PKIStatus, "etcd")?.ready).toBe(true);
  expect(node.spec(SecretsStatus, "static-pods")?.ready).toBe(true);
});

test("etcd's files are not ready while its leaves wait for the clock", async () => {
  await using node = await mountNode({ time: { synced: false } });
  expect(Object.keys(node.files["kubernetes/pki/etcd"] ?? {})).toEqual(["ca.crt"]);
  expect(node.spec(PKIStatus, "etcd")?.ready).toBe(false);
  expect(node.spec(FileSet, "kubernetes-pki-etcd")?.waitingFor).toContain("etcd-server");
});

test("after a change of all roots no set ever pairs a new authority with an old leaf", async () => {
  const keys = webCryptoKeys();
  const sources = { talosVersion: "v1.6", keys, random: systemRandom, now: START };
  const bundle = await issueBundle(sources);
  const { controlplane } = generateMachineConfigs({
    clusterName: "demo",
    endpoint: "https://10.0.0.2:6443",
    bundle,
  });
  await using node = await mountNode();
  const before = node.published.length;
  await node.update(MachineConfig, ACTIVE, (draft) => {
    draft.yaml = controlplane;
  });
  const since = node.published.slice(before);
  expect(new Set(since.map(({ directory }) => directory)).size).toBe(4);
  for (const { directory, files } of since) {
    const authorities = Object.entries(files).filter(([name]) => name.endsWith("ca.crt"));
    const leaves = Object.entries(files).filter(([name]) => /(?<!ca)\.crt$/.test(name));
    for (const [name, leaf] of leaves) {
      if (name === "apiserver-etcd-client.crt") continue; // its authority stands in another directory
      const signed = await Promise.all(
        authorities.map(([, ca]) => signedBy(readCertificate(leaf), readCertificate(ca))),
      );
      expect(signed, `${directory}/${name}`).toContain(true);
    }
  }
  expect(node.spec(FileSet, "talos")?.ready).toBe(true);
});

test("an engine that stops while files are published says nothing of files", async () => {
  const warnings: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (_fields, message) => void warnings.push(message),
    child: () => log,
  };
  const clock = manualClock(START);
  const store = openMemoryStore({ clock });
  const stopped: Promise<void>[] = [];
  const controller = pkiFilesController({
    directory: "talos",
    publicKeyOf: () => Promise.resolve(""),
    publishFiles: () => {
      stopped.push(engine.stop());
      return Promise.resolve({ path: "talos", version: "" });
    },
  });
  const engine = createEngine({
    store,
    clock,
    random: systemRandom,
    log,
    controllers: [controller],
  });
  await engine.start();
  await engine.settled();
  await Promise.all(stopped);
  expect(stopped).toHaveLength(1);
  expect(warnings).toEqual([]);
  await store.close();
});
