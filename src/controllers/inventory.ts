/**
 * Which certificates a node should hold, where they stand, and who issues them: the one list behind
 * `certificatestatus`, `securitystatus` and the files on disk.
 */
import type { KeyedPem } from "#pki";
import {
  AcceptedRoot,
  ApiCertificates,
  EtcdRoot,
  EtcdSecrets,
  KubernetesDynamicCerts,
  KubernetesRoot,
  KubernetesSecrets,
  NodeCertificate,
  OSRoot,
  TrustdCertificates,
} from "#resources";
import { all, type DeepReadonly, type InputValues, maybe } from "#runtime";
import { leavesInKubeconfigs, type Kubeconfigs } from "./kubeconfigs.ts";
import { isMember } from "./node-renewal.ts";
import { toldCAs } from "./node-trust.ts";

/**
 * Every resource that holds certificates, as inputs of whoever needs them all.
 *
 * @param damagedIsAbsent whether one that cannot be read back counts as absent; else it is waited for
 */
export const holdingsOf = ({ damagedIsAbsent = false } = {}) => ({
  os: maybe(OSRoot, "os", { damagedIsAbsent }),
  k8s: maybe(KubernetesRoot, "k8s", { damagedIsAbsent }),
  etcdRoot: maybe(EtcdRoot, "etcd", { damagedIsAbsent }),
  api: maybe(ApiCertificates, "api", { damagedIsAbsent }),
  node: maybe(NodeCertificate, "node", { damagedIsAbsent }),
  trustd: maybe(TrustdCertificates, "trustd", { damagedIsAbsent }),
  etcd: maybe(EtcdSecrets, "etcd", { damagedIsAbsent }),
  kubeconfigs: maybe(KubernetesSecrets, "k8s-certs", { damagedIsAbsent }),
  dynamic: maybe(KubernetesDynamicCerts, "k8s-dynamic-certs", { damagedIsAbsent }),
  accepted: all(AcceptedRoot),
});

/** What {@link holdingsOf} are at one instant. */
export type Holdings = InputValues<ReturnType<typeof holdingsOf>>;

/** A node that holds none of it. */
export const nothingHeld: Holdings = Object.freeze({
  os: null,
  k8s: null,
  etcdRoot: null,
  api: null,
  node: null,
  trustd: null,
  etcd: null,
  kubeconfigs: null,
  dynamic: null,
  accepted: [],
});

/** The four authorities of a node. */
export const roots = ["os", "k8s", "etcd", "aggregator"] as const;
export type Root = (typeof roots)[number];

/** A certificate that is there, or should be. */
export interface Item {
  readonly id: string;
  readonly root: Root;
  readonly role: "authority" | "accepted" | "leaf";
  /** The controller that issues it; empty for roots, which come with the configuration. */
  readonly controller: string;
  /** The resource that holds it: `Type(namespace/id)`. */
  readonly source: string;
  /** PEM texts, or what stands there instead; undefined while missing. Accepted authorities have no key. */
  readonly crt: string | undefined;
  readonly key: string | undefined;
  /** Certificate and key as they are held, the same object as long as they are. */
  readonly pem: Pem;
}

/** PEM texts. */
export type Pem = DeepReadonly<{ crt: string; key?: string }> | null | undefined;

/** Whether a certificate is held with its key. */
export const isKeyed = (pem: Pem): pem is KeyedPem => pem?.key !== undefined;

const secret = (kind: string, id: string): string => `${kind}.secrets.talos.dev(secrets/${id})`;
const API = secret("ApiCertificates", "api");
const NODE = "NodeCertificates.secrets.trustplane.dev(secrets/node)";
const TRUSTD = secret("TrustdCertificates", "trustd");
const ETCD = secret("EtcdSecrets", "etcd");
const KUBERNETES = secret("KubernetesSecrets", "k8s-certs");
const DYNAMIC = secret("KubernetesDynamicCerts", "k8s-dynamic-certs");

/** PEM of an authority that is in force; null where the node has none. */
export function authorityOf(root: Root, held: Holdings): Pem {
  switch (root) {
    case "os":
      return held.os?.spec.issuingCA ?? held.os?.spec.acceptedCAs.at(-1);
    case "k8s":
      return held.k8s?.spec.issuingCA;
    case "etcd":
      return held.etcdRoot?.spec.etcdCA;
    case "aggregator":
      return held.k8s?.spec.aggregatorCA;
  }
}

/** PEM of every authority that is trusted under a root, the issuing one among them. */
export function trustedUnder(root: Root, held: Holdings): readonly string[] {
  const also = held.accepted.find(({ metadata }) => metadata.id === root)?.spec.acceptedCAs ?? [];
  const configured = {
    os: trustedForApi(held),
    k8s: held.k8s?.spec.acceptedCAs,
    etcd: held.etcdRoot ? [held.etcdRoot.spec.etcdCA] : [],
    aggregator: held.k8s?.spec.acceptedAggregatorCAs,
  }[root];
  return [...new Set([...(configured ?? []), ...also].map(({ crt }) => crt))];
}

/** A worker also trusts those that signers have told it of. */
const trustedForApi = ({ os, node }: Holdings): readonly { readonly crt: string }[] => [
  ...(os?.spec.acceptedCAs ?? []),
  ...(os && node ? toldCAs(os.spec, node.spec).map(({ pem }) => ({ crt: pem })) : []),
];

/** Everything that this node holds or should hold. */
export function inventory(held: Holdings): readonly Item[] {
  return [...authorities(held), ...leaves(held)];
}

function authorities(held: Holdings): Item[] {
  const sources = {
    os: secret("OSRootSecrets", "os"),
    k8s: secret("KubernetesRootSecrets", "k8s"),
    etcd: secret("EtcdRootSecrets", "etcd"),
    aggregator: secret("KubernetesRootSecrets", "k8s"),
  };
  return roots.flatMap((root) => {
    const issuing = authorityOf(root, held);
    if (!issuing) return [];
    const item = { root, controller: "", source: sources[root] };
    const others = trustedUnder(root, held).filter((crt) => crt !== issuing.crt);
    return [
      {
        ...item,
        id: `${root}-ca`,
        role: "authority",
        crt: issuing.crt,
        key: issuing.key,
        pem: issuing,
      },
      ...others.map((crt, index) => ({
        ...item,
        id: `${root}-accepted-${String(index + 1)}`,
        role: "accepted" as const,
        crt,
        key: undefined,
        pem: undefined,
      })),
    ] as const;
  });
}

function leaves(held: Holdings): Item[] {
  const leaf = (root: Root, controller: string, source: string, pems: Record<string, Pem>) =>
    Object.entries(pems).map(([id, pem]): Item => ({
      id,
      root,
      role: "leaf",
      controller: `secrets.${controller}`,
      source,
      crt: pem?.crt,
      key: pem?.key,
      pem,
    }));
  const { api, trustd, etcd, dynamic, node } = held;
  const onWorker = [
    ...leaf("os", "NodeCertificateController", API, { "apid-server": api?.spec.server }),
    ...(node && isMember(node.spec)
      ? leaf("os", "NodeCertificateController", NODE, { "node-identity": node.spec.identity })
      : []),
  ];
  const onControlPlane = [
    ...leaf("os", "APIController", API, { "apid-server": api?.spec.server }),
    ...leaf("os", "APIController", API, { "apid-client": api?.spec.client }),
    ...leaf("os", "TrustdController", TRUSTD, { "trustd-server": trustd?.spec.server }),
  ];
  return [
    ...(held.os ? (held.os.spec.issuingCA ? onControlPlane : onWorker) : []),
    ...(held.etcdRoot
      ? leaf("etcd", "EtcdController", ETCD, {
          "etcd-server": etcd?.spec.etcd,
          "etcd-peer": etcd?.spec.etcdPeer,
          "etcd-admin": etcd?.spec.etcdAdmin,
          "etcd-apiserver-client": etcd?.spec.etcdAPIServer,
        })
      : []),
    ...(held.k8s
      ? [
          ...leaf("k8s", "KubernetesDynamicCertsController", DYNAMIC, {
            "kube-apiserver": dynamic?.spec.apiServer,
            "apiserver-kubelet-client": dynamic?.spec.apiServerKubeletClient,
          }),
          ...leaf("aggregator", "KubernetesDynamicCertsController", DYNAMIC, {
            "front-proxy-client": dynamic?.spec.frontProxy,
          }),
          ...leaf(
            "k8s",
            "KubernetesController",
            KUBERNETES,
            kubeconfigLeaves(held.kubeconfigs?.spec ?? nothing),
          ),
        ]
      : []),
  ];
}

const nothing: Kubeconfigs = {
  controllerManagerKubeconfig: "",
  schedulerKubeconfig: "",
  adminKubeconfig: "",
  localhostAdminKubeconfig: "",
};

const kubeconfigLeaves = (held: Kubeconfigs): Record<string, Pem> => {
  const read = leavesInKubeconfigs(held);
  return {
    "controller-manager": read.controllerManagerKubeconfig,
    scheduler: read.schedulerKubeconfig,
    admin: read.adminKubeconfig,
    "localhost-admin": read.localhostAdminKubeconfig,
  };
};
