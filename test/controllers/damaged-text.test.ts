/** A text of stored state that was damaged is mended or reported at the next start, and stops nothing else. */
import { AcceptedRoot, CertificateStatus, FileSet, kinds, SecurityStatus } from "#resources";
import { ControllerStatus, type Resource } from "#runtime";
import { describe, expect, test } from "vitest";
import { mountNode, startOn, storedBy } from "./control-plane.ts";
import { issuedIn, otherRoot, textAt, type TextPath, withText } from "./surroundings.ts";

const NO_TEXT_OF_OURS = "gar bage";
const NO_DER = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/** Where the texts of a value stand. */
const textsIn = (value: unknown, path: TextPath = []): TextPath[] => {
  if (typeof value === "string") return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => textsIn(part, [...path, name]));
};

const stored = await (async () => {
  await using node = await mountNode();
  const { crt } = await otherRoot("etcd");
  await node.create(AcceptedRoot, "etcd", { count: 1, acceptedCAs: [{ crt }], acceptedKeys: [] });
  return await storedBy(node);
})();

/** The configuration is the source of the others; its damages are the matter of another test. */
const isSecret = ({ metadata: { type, id } }: Resource): boolean =>
  type === AcceptedRoot.type ||
  (kinds.find((kind) => kind.type === type)?.sensitivity === "sensitive" && id !== "v1alpha1");

const nameOf = ({ metadata: { type, id } }: Resource) => `${type.split(".")[0] ?? ""}/${id}`;

/** Every text of every secret that is stored. */
const texts = stored
  .filter(isSecret)
  .flatMap((resource) => textsIn(resource.spec).map((path) => ({ resource, path })));

const damages = texts.flatMap(({ resource, path }) =>
  [NO_TEXT_OF_OURS, ...(["crt", "key"].includes(String(path.at(-1))) ? [NO_DER] : [])].map(
    (text) => [`${nameOf(resource)} ${path.join(".")}: ${text}`, { resource, path, text }] as const,
  ),
);

/** Leaves for whose common name a damaged text was taken until its controller had its turn. */
const named: Readonly<Record<string, readonly string[]>> = {
  "CertSANs/api.fqdn": [
    "ApiCertificates/api.client",
    "ApiCertificates/api.server",
    "TrustdCertificates/trustd.server",
  ],
};

const before = issuedIn(stored);

/** What is issued in place of a damaged text. */
function reissuedFor(resource: Resource, path: TextPath): readonly string[] {
  const name = `${nameOf(resource)}.${path.join(".")}`.replace(/\.(crt|key)$/, "");
  return named[name] ?? (before.has(name) ? [name] : []);
}

test("every kind of secret that a control plane stores is damaged below", () => {
  expect([...new Set(texts.map(({ resource }) => nameOf(resource)))].sort()).toEqual([
    "AcceptedRoots/etcd",
    "ApiCertificates/api",
    "CertSANs/api",
    "CertSANs/k8s",
    "CertSANs/maintenance",
    "EncryptionSalts/salt",
    "EtcdRootSecrets/etcd",
    "EtcdSecrets/etcd",
    "KubeletSecrets/kubelet",
    "KubernetesDynamicCerts/k8s-dynamic-certs",
    "KubernetesRootSecrets/k8s",
    "KubernetesSecrets/k8s-certs",
    "MachineTokens/trustd",
    "OSRootSecrets/os",
    "TrustdCertificates/trustd",
  ]);
});

describe("a start mends a damaged text, and touches nothing else", () => {
  test.each(damages)("%s", async (_name, { resource, path, text }) => {
    const spec = withText(resource.spec, path, text);
    await using node = await startOn(
      stored.map((other) => (other === resource ? { ...other, spec } : other)),
    );
    const controllers = await node.store.list(ControllerStatus);
    expect(controllers.filter((controller) => controller.spec.state === "failing")).toEqual([]);

    const held = await storedBy(node);
    const after = issuedIn(held);
    const differing = [...before.keys()].filter((name) => before.get(name) !== after.get(name));
    expect(differing.sort()).toEqual(reissuedFor(resource, path));
    for (const name of differing) expect(after.get(name)).not.toContain(text);

    const isSource = resource.metadata.type === AcceptedRoot.type;
    const now = held.find((other) => nameOf(other) === nameOf(resource));
    expect(textAt(now?.spec, path) === text).toBe(isSource);
    const troubled = (await node.store.list(CertificateStatus)).filter(
      (status) => status.spec.state !== "Valid",
    );
    expect(troubled.map(({ metadata }) => metadata.id)).toEqual(
      isSource ? ["etcd-accepted-1"] : [],
    );
    const sets = await node.store.list(FileSet);
    expect(sets.map((set) => [set.spec.ready, set.spec.error])).toEqual(sets.map(() => [true, ""]));
  });
});

test("an accepted authority that cannot be read is one finding, and stands in no file", async () => {
  const isIt = ({ metadata }: Resource) => metadata.type === AcceptedRoot.type;
  const acceptedCAs = [{ crt: NO_DER }];
  await using node = await startOn(
    stored.map((other) =>
      isIt(other) ? { ...other, spec: { count: 1, acceptedCAs, acceptedKeys: [] } } : other,
    ),
  );
  const status = await node.store.get(SecurityStatus, "etcd");
  expect(status?.spec.findings).toHaveLength(1);
  expect(status?.spec.findings[0]?.severity).toBe("warning");
  expect(status?.spec.findings[0]?.message).toMatch(/^etcd-accepted-1.*cannot be read/);
  expect(node.files["kubernetes/pki/etcd"]?.["ca.crt"]).not.toContain("AAAA\n-----END");
});
