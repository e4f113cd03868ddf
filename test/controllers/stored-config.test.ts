/** A stored configuration that cannot be read, or of which a part cannot, is served as it was and reported. */
import { readCertificate } from "#pki";
import {
  ACTIVE,
  ApiCertificates,
  FileSet,
  MachineConfig,
  OSRoot,
  SecurityStatus,
  TimeStatus,
} from "#resources";
import { ControllerStatus, days, type Resource } from "#runtime";
import { describe, expect, test } from "vitest";
import { demoRoots, demoServiceAccountKey } from "../pki/demo.ts";
import { controlPlaneConfig, mountNode, startOn, storedBy } from "./control-plane.ts";
import { issuedIn } from "./surroundings.ts";

const stored = await (async () => {
  await using node = await mountNode();
  return await storedBy(node);
})();

const base64 = (text: string) => Buffer.from(text).toString("base64");
const garbage = base64("garbage");

const withConfig = (yaml: string, resources: readonly Resource[] = stored): Resource[] =>
  resources.map((other) =>
    other.metadata.type === MachineConfig.type && other.metadata.id === ACTIVE
      ? { ...other, spec: { yaml } }
      : other,
  );

type Node = Awaited<ReturnType<typeof startOn>>;

const failing = async ({ store }: Node): Promise<string[]> =>
  (await store.list(ControllerStatus))
    .filter(({ spec }) => spec.state === "failing")
    .map(({ metadata }) => metadata.id);

const findingsOf = async ({ store }: Node) =>
  (await store.list(SecurityStatus)).flatMap(({ spec }) => spec.findings);

const unknownDocument = `${controlPlaneConfig}---\napiVersion: v1alpha1\nkind: NeverHeardOfConfig\n`;

describe.each([
  ["a document of an unknown kind", unknownDocument, "NeverHeardOfConfig"],
  ["no YAML", "machine: [", "the stored configuration:1"],
  ["nothing", "", "holds no configuration"],
])("a stored configuration with %s", (_name, yaml, cause) => {
  test("is one critical finding, and what was made from the last one stays", async () => {
    await using node = await startOn(withConfig(yaml));
    expect(await failing(node)).toEqual([]);
    expect(issuedIn(await storedBy(node))).toEqual(issuedIn(stored));
    const findings = await findingsOf(node);
    expect(findings.map(({ severity }) => severity)).toEqual(["critical"]);
    expect(findings[0]?.message).toContain(cause);
    expect(findings[0]?.command).toContain("apply-config");
    const sets = await node.store.list(FileSet);
    expect(sets.map(({ spec }) => [spec.ready, spec.error])).toEqual(sets.map(() => [true, ""]));
  });

  test("does not keep leaves from being renewed: the time is asked for", async () => {
    const resources = withConfig(yaml).filter(({ metadata }) => metadata.type !== TimeStatus.type);
    const damaged = resources.map((other) =>
      other.metadata.type.startsWith("EtcdSecrets")
        ? { ...other, spec: { ...(other.spec as object), etcdPeer: { crt: "x", key: "x" } } }
        : other,
    );
    await using node = await startOn(damaged);
    expect((await node.store.get(TimeStatus, "node"))?.spec.synced).toBe(true);
    const [before, after] = [issuedIn(stored), issuedIn(await storedBy(node))];
    const differing = [...before.keys()].filter((name) => before.get(name) !== after.get(name));
    expect(differing).toEqual(["EtcdSecrets/etcd.etcdPeer"]);
    expect(after.get(differing[0] ?? "")).toContain("BEGIN CERTIFICATE");
  });
});

test("addresses that were the cluster's are not taken for the node's while the configuration cannot be read", async () => {
  const interfaceAddresses = ["192.0.2.7", "10.244.0.1"];
  const options = { apiAddress: "192.0.2.7", interfaceAddresses };
  await using first = await mountNode(options);
  const before = await storedBy(first);
  await using node = await startOn(withConfig(unknownDocument, before), options);
  expect(issuedIn(await storedBy(node))).toEqual(issuedIn(before));
});

const roots = [
  ...Object.entries(demoRoots).flatMap(([name, { crt, key }]) => [
    [`${name} certificate`, crt] as const,
    [`${name} key`, key] as const,
  ]),
  ["service-account key", demoServiceAccountKey] as const,
];

describe.each([
  ["base64 of garbage", garbage],
  ["no base64", "garbage!"],
])("a stored configuration with %s", (_name, damage) => {
  test.each(roots)(
    "in place of the %s is reported, and the root that is held stays",
    async (_, pem) => {
      const yaml = controlPlaneConfig.replaceAll(base64(pem), damage);
      expect(yaml).not.toBe(controlPlaneConfig);
      await using node = await startOn(withConfig(yaml));
      expect(await failing(node)).toEqual([]);
      expect(issuedIn(await storedBy(node))).toEqual(issuedIn(stored));
      const findings = await findingsOf(node);
      expect(findings.length).toBeGreaterThan(0);
      expect(findings[0]?.command).toContain("apply-config");
    },
  );

  test("for an accepted authority trusts the others as before", async () => {
    const yaml = controlPlaneConfig.replace(
      "    certSANs:\n",
      `    acceptedCAs:\n        - crt: ${damage}\n    certSANs:\n`,
    );
    await using node = await startOn(withConfig(yaml));
    expect(await failing(node)).toEqual([]);
    expect(issuedIn(await storedBy(node))).toEqual(issuedIn(stored));
    expect((await node.store.get(OSRoot, "os"))?.spec.acceptedCAs).toHaveLength(2);
    expect(node.files.talos?.["ca.crt"]).toBe(demoRoots.os.crt);
    const messages = (await findingsOf(node)).map(({ message }) => message);
    expect(
      messages.filter((message) => /os-accepted-1.*cannot be read/.test(message)),
    ).toHaveLength(1);
  });
});

test("a root that cannot be read and is not held is named by the findings, and nothing else stops", async () => {
  const yaml = controlPlaneConfig.replaceAll(base64(demoRoots.etcd.crt), garbage);
  const isEtcdRoot = ({ metadata }: Resource) => metadata.type.startsWith("EtcdRoot");
  await using node = await startOn(withConfig(yaml).filter((other) => !isEtcdRoot(other)));
  expect(await failing(node)).toEqual(["secrets.EtcdController"]);
  const after = issuedIn(await storedBy(node));
  for (const [name, text] of issuedIn(stored))
    expect(after.get(name), name).toBe(name.startsWith("EtcdSecrets") ? undefined : text);
  const etcd = (await node.store.get(SecurityStatus, "etcd"))?.spec.findings;
  expect(etcd?.[0]?.message).toMatch(/^etcd-ca is Untrusted: cannot be read/);
});

test("a service-account key that cannot be read and is not held is named by the findings, and nothing else stops", async () => {
  const yaml = controlPlaneConfig.replaceAll(base64(demoServiceAccountKey), garbage);
  const isRoot = ({ metadata }: Resource) => metadata.type.startsWith("KubernetesRoot");
  await using node = await startOn(withConfig(yaml).filter((other) => !isRoot(other)));
  expect(await failing(node)).toEqual([]);
  const account = (await node.store.get(SecurityStatus, "service-account"))?.spec;
  expect(account?.findings[0]?.message).toContain("the service-account key cannot be read");
  const set = (await node.store.get(FileSet, "kubernetes-pki"))?.spec;
  expect(set).toMatchObject({ ready: false, waitingFor: "service-account" });
});

test("leaves go on being renewed while the configuration cannot be read", async () => {
  await using node = await mountNode();
  const before = node.spec(ApiCertificates, "api")?.server.crt ?? "";
  await node.update(MachineConfig, ACTIVE, () => ({ yaml: unknownDocument }));
  expect(node.spec(ApiCertificates, "api")?.server.crt).toBe(before);
  await node.advance(days(2));
  const { crt } = node.spec(ApiCertificates, "api")?.server ?? { crt: "" };
  expect(readCertificate(crt).notAfter).toBeGreaterThan(node.clock.now());
});
