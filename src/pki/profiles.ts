/** What Talos issues, as data: the rows of talos-pki.md §2.3. */
import { hours } from "#runtime";
import type { KeyUsage } from "./certificate.ts";
import type { KeyAlgorithm } from "./keys/key.ts";

/** What an authority is like; its subject has organizations only. */
export interface AuthorityProfile {
  readonly organizations: readonly string[];
  readonly keyAlgorithm: KeyAlgorithm;
  readonly lifetime: number;
}

const CA_LIFETIME = hours(87_600);
const NODE_LIFETIME = hours(24);
const YEAR = hours(8760);

/** The four roots, and the one of a node that has no configuration yet. */
export const authorityProfiles = {
  os: { organizations: ["talos"], keyAlgorithm: "Ed25519", lifetime: CA_LIFETIME },
  kubernetes: { organizations: ["kubernetes"], keyAlgorithm: "P-256", lifetime: CA_LIFETIME },
  etcd: { organizations: ["etcd"], keyAlgorithm: "P-256", lifetime: CA_LIFETIME },
  // Its name is empty, and so is that of all who look at it.
  aggregator: { organizations: [], keyAlgorithm: "P-256", lifetime: CA_LIFETIME },
  maintenance: { organizations: [], keyAlgorithm: "Ed25519", lifetime: hours(24) },
} as const satisfies Record<string, AuthorityProfile>;

/** The name of an authority in the tables. */
export type RootName = keyof typeof authorityProfiles;

/** What a leaf is like; parts of the subject that are not here come with each request. */
export interface LeafProfile {
  /** By which a policy knows it. */
  readonly name: string;
  readonly root: RootName;
  readonly keyUsages: readonly KeyUsage[];
  readonly extKeyUsages: readonly string[];
  readonly lifetime: number;
  readonly commonName?: string;
  readonly organizations?: readonly string[];
}

const sign = Object.freeze(["digitalSignature"] as const);
const signAndEncipher = Object.freeze(["digitalSignature", "keyEncipherment"] as const);
const server = Object.freeze(["serverAuth"] as const);
const client = Object.freeze(["clientAuth"] as const);
const both = Object.freeze(["serverAuth", "clientAuth"] as const);

const os = { root: "os", keyUsages: sign, lifetime: NODE_LIFETIME } as const;
const etcd = { root: "etcd", keyUsages: signAndEncipher, lifetime: CA_LIFETIME } as const;
const kubernetes = { root: "kubernetes", keyUsages: signAndEncipher, lifetime: YEAR } as const;

const kubernetesClient = (commonName: string, organization: string) =>
  ({ ...kubernetes, extKeyUsages: client, commonName, organizations: [organization] }) as const;

const rows = {
  apidServer: { ...os, extKeyUsages: server },
  apidClient: { ...os, extKeyUsages: client, organizations: ["os:impersonator"] },
  /** What a node that joined serves, and what it is a client with: a role that Talos gives to nobody. */
  nodeServer: { ...os, extKeyUsages: server },
  nodeIdentity: { ...os, extKeyUsages: client, organizations: ["trustplane:node"] },
  trustdServer: { ...os, keyUsages: signAndEncipher, extKeyUsages: server },
  maintenanceServer: {
    ...os,
    root: "maintenance",
    extKeyUsages: server,
    commonName: "maintenance-service.talos.dev",
  },
  talosClient: { ...os, extKeyUsages: client, lifetime: YEAR },
  etcdServer: { ...etcd, extKeyUsages: both },
  etcdPeer: { ...etcd, extKeyUsages: both },
  etcdAdmin: { ...etcd, extKeyUsages: client, commonName: "talos" },
  etcdApiServer: { ...etcd, extKeyUsages: client, commonName: "kube-apiserver" },
  kubeApiServer: {
    ...kubernetes,
    extKeyUsages: server,
    commonName: "kube-apiserver",
    organizations: ["kube-master"],
  },
  apiServerKubeletClient: kubernetesClient("apiserver-kubelet-client", "system:masters"),
  frontProxyClient: {
    ...kubernetes,
    root: "aggregator",
    extKeyUsages: client,
    commonName: "front-proxy-client",
  },
  controllerManager: kubernetesClient(
    "system:kube-controller-manager",
    "system:kube-controller-manager",
  ),
  scheduler: kubernetesClient("system:kube-scheduler", "system:kube-scheduler"),
  admin: kubernetesClient("talos:admin", "system:masters"),
  userAdmin: kubernetesClient("admin", "system:masters"),
} as const satisfies Record<string, Omit<LeafProfile, "name">>;

/** The name of a leaf in the table. */
export type ProfileName = keyof typeof rows;

type Named<Rows> = { readonly [Name in keyof Rows]: Rows[Name] & { readonly name: Name } };

/** Every leaf that is issued here. */
export const leafProfiles = Object.fromEntries(
  Object.entries(rows).map(([name, row]) => [name, { ...row, name }]),
) as Named<typeof rows>;
