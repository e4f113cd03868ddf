/** A node's surroundings as resources: what a controller of leaves looks at besides its root. */
import { loadMachineConfig } from "#config";
import {
  formatName,
  issueAuthority,
  authorityPem,
  authorityProfiles,
  leafIssuer,
  type KeyedPem,
  readCertificate,
  renewAt,
  signedBy,
  webCryptoKeys,
} from "#pki";
import {
  CertificateStatus,
  HostnameStatus,
  KubernetesRoot,
  NetworkStatus,
  NodeAddress,
  TimeStatus,
} from "#resources";
import {
  type Controller,
  type DeepReadonly,
  days,
  type Resource,
  type SpecOf,
  systemRandom,
} from "#runtime";
import { mount, type Mounted } from "#runtime/testing";
import { controlPlaneConfig, START } from "./control-plane.ts";

const keys = webCryptoKeys();

export const issueLeaf = leafIssuer({ keys, random: systemRandom });

/** A root of this kind that is not the demo cluster's; it lives for twenty years. */
export const otherRoot = async (profile: keyof typeof authorityProfiles): Promise<KeyedPem> =>
  authorityPem(
    await issueAuthority(
      { ...authorityProfiles[profile], lifetime: days(20 * 365) },
      { keys, random: systemRandom, now: START },
    ),
  );

/** The demo cluster's Kubernetes root, as its controller tells it. */
export function demoKubernetesRoot(): DeepReadonly<SpecOf<typeof KubernetesRoot>> {
  const root = loadMachineConfig(controlPlaneConfig).kubernetesRoot();
  if (!root) throw new Error("the demo has a Kubernetes root");
  const { podSubnets: _pods, serviceSubnets: _services, ...rest } = root;
  return { ...rest, apiServerIPs: ["10.96.0.1"] };
}

export const time = (synced: boolean) => ({
  synced,
  epoch: 0,
  syncDisabled: false,
  source: "test",
});

export const network = (addressReady: boolean, hostnameReady: boolean) => ({
  addressReady,
  connectivityReady: addressReady,
  hostnameReady,
  etcFilesReady: true,
});

export const addresses = (...list: string[]) => ({
  addresses: list,
  sortAlgorithm: "v1" as const,
});

/** Mounts one controller on a node that has a name, two addresses and the right time. */
export async function mountAmid(
  controller: Controller,
  { synced = true, hostnameReady = true } = {},
): Promise<Mounted> {
  const t = await mount(controller, { now: START });
  await t.create(NetworkStatus, "status", network(true, hostnameReady));
  await t.create(HostnameStatus, "hostname", { hostname: "cp-1", domainname: "example.test" });
  await t.create(NodeAddress, "accumulative-no-k8s", addresses("192.0.2.7", "2001:db8::7"));
  await t.create(TimeStatus, "node", time(synced));
  return t;
}

/** Leaves of which each was issued. */
export function complete<Name extends string>(
  leaves: Readonly<Record<Name, KeyedPem | null>> | null,
): Readonly<Record<Name, KeyedPem>> {
  if (leaves && Object.values(leaves).includes(null)) throw new TypeError("not all are issued");
  return leaves as Readonly<Record<Name, KeyedPem>>;
}

/** What of a leaf its profile and names decide. */
export function factsOf(pem: { readonly crt: string } | undefined) {
  const leaf = readCertificate(pem?.crt ?? "");
  return {
    subject: formatName(leaf.subject),
    dnsNames: leaf.dnsNames,
    ipAddresses: leaf.ipAddresses,
    keyUsages: leaf.keyUsages,
    extKeyUsages: leaf.extKeyUsages,
  };
}

/** Whether an authority's key signed it. */
export const isUnder = (leaf: { crt: string } | undefined, authority: { crt: string }) =>
  signedBy(readCertificate(leaf?.crt ?? ""), readCertificate(authority.crt));

/** The leaf that is due first, and when. */
export function firstDue(
  leaves: Readonly<Record<string, { readonly crt: string }>>,
  issuers: { readonly crt: string } | Readonly<Record<string, { readonly crt: string }>>,
) {
  const due = Object.entries(leaves).map(([name, { crt }]) => {
    const issuer = "crt" in issuers ? (issuers.crt as string) : (issuers[name]?.crt ?? "");
    return { name, at: Number(renewAt(readCertificate(crt), readCertificate(issuer))) };
  });
  const [first] = due.sort((a, b) => a.at - b.at);
  if (!first) throw new TypeError("there is no leaf");
  return first;
}

/** Names of what differs between two tables. */
export const differing = (
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .sort();

/** The serial number of every certificate that a whole node holds. */
export const serialNumbers = (node: Pick<Mounted, "list">): Record<string, string> =>
  Object.fromEntries(
    node.list(CertificateStatus).map(({ metadata, spec }) => [metadata.id, spec.serialNumber]),
  );

/** Where a text stands in a value. */
export type TextPath = readonly (string | number)[];

/** What stands at a path. */
export const textAt = (value: unknown, path: TextPath): unknown =>
  path.reduce<unknown>(
    (part, name) => (part as Record<string, unknown> | undefined)?.[name],
    value,
  );

/** A copy in which another text stands at a path. */
export function withText(value: unknown, [name, ...rest]: TextPath, text: string): unknown {
  if (name === undefined) return text;
  const copy: unknown = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  const parts = copy as Record<string, unknown>;
  parts[name] = withText(parts[name], rest, text);
  return copy;
}

/** Every leaf and the salt, as JSON, by `Kind/id.field`: what is drawn anew whenever it is issued. */
export function issuedIn(resources: readonly Resource[]): ReadonlyMap<string, string> {
  const issued = new Map<string, string>();
  for (const { metadata, spec } of resources) {
    const kind = metadata.type.split(".")[0] ?? "";
    for (const field of issuedFields[kind] ?? [])
      issued.set(`${kind}/${metadata.id}.${field}`, JSON.stringify(textAt(spec, [field])));
  }
  return issued;
}

const issuedFields: Readonly<Record<string, readonly string[]>> = {
  ApiCertificates: ["server", "client"],
  EncryptionSalts: ["diskSalt"],
  EtcdSecrets: ["etcd", "etcdPeer", "etcdAdmin", "etcdAPIServer"],
  KubernetesDynamicCerts: ["apiServer", "apiServerKubeletClient", "frontProxy"],
  KubernetesSecrets: [
    "schedulerKubeconfig",
    "controllerManagerKubeconfig",
    "localhostAdminKubeconfig",
    "adminKubeconfig",
  ],
  TrustdCertificates: ["server"],
};
