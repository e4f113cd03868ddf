/** What a node serves, and what it trusts, read straight from its resources. */
import { readKubeconfig } from "#config";
import { readPrivateKey } from "#pki";
import {
  AcceptedRoot,
  ApiCertificates,
  EtcdRoot,
  EtcdSecrets,
  KubernetesDynamicCerts,
  KubernetesRoot,
  KubernetesSecrets,
  OSRoot,
  TrustdCertificates,
} from "#resources";
import { CodedError, type DeepReadonly, type Resource } from "#runtime";
import type { NodeView } from "#runtime/simulation";
import { factsOf, type Facts } from "./certificate.ts";

/** A root, by the name that the statuses have for it. */
export type RootName = "os" | "k8s" | "etcd" | "aggregator";

/** A leaf that servers or clients on the node use. */
export interface Leaf {
  readonly id: string;
  readonly root: RootName;
  readonly facts: Facts;
  /** Whether the key beside it is its own. */
  readonly hasKey: () => boolean;
}

/** All of it at one moment; the same object as long as nothing changed. */
export interface Holdings {
  readonly leaves: readonly Leaf[];
  /** By root; those that are trusted, in any order. */
  readonly trusted: Readonly<Record<RootName, readonly Facts[]>>;
  /** By root; the one that issues. */
  readonly issuing: Readonly<Partial<Record<RootName, Facts>>>;
}

type Pem = DeepReadonly<{ crt: string; key: string }>;

const resourcesOf = (node: NodeView) => ({
  os: node.resource(OSRoot, "os"),
  k8s: node.resource(KubernetesRoot, "k8s"),
  etcdRoot: node.resource(EtcdRoot, "etcd"),
  api: node.resource(ApiCertificates, "api"),
  trustd: node.resource(TrustdCertificates, "trustd"),
  etcd: node.resource(EtcdSecrets, "etcd"),
  kubeconfigs: node.resource(KubernetesSecrets, "k8s-certs"),
  dynamic: node.resource(KubernetesDynamicCerts, "k8s-dynamic-certs"),
  acceptedEtcd: node.resource(AcceptedRoot, "etcd"),
  acceptedAggregator: node.resource(AcceptedRoot, "aggregator"),
});

type Resources = ReturnType<typeof resourcesOf>;

const known = new WeakMap<NodeView, Known>();

/** Every property asks for them at each look; what did not change is not read again. */
export function holdingsOf(node: NodeView): Holdings {
  const last = known.get(node);
  const { revision } = node;
  if (last?.revision === revision) return last.holdings;
  const read = resourcesOf(node);
  const resources = Object.values(read);
  const isSame = last?.resources.every((resource, index) => resource === resources[index]);
  const holdings = last && isSame ? last.holdings : holdingsIn(read);
  known.set(node, { revision, resources, holdings });
  return holdings;
}

interface Known {
  readonly revision: number;
  readonly resources: readonly (Resource | null)[];
  readonly holdings: Holdings;
}

function holdingsIn(read: Resources): Holdings {
  const { os, k8s, etcdRoot } = read;
  const crts = (list: readonly { readonly crt: string }[] = []) =>
    [...new Set(list.map(({ crt }) => crt))].map(factsOf);
  const one = (pem: Pem | null | undefined) => (pem ? factsOf(pem.crt) : undefined);
  const issuing = {
    os: one(os?.spec.issuingCA),
    k8s: one(k8s?.spec.issuingCA),
    etcd: one(etcdRoot?.spec.etcdCA),
    aggregator: one(k8s?.spec.aggregatorCA),
  };
  return {
    leaves: leavesIn(read),
    issuing: Object.fromEntries(Object.entries(issuing).filter(([, facts]) => facts !== undefined)),
    trusted: {
      os: crts(os?.spec.acceptedCAs),
      k8s: crts(k8s?.spec.acceptedCAs),
      etcd: crts([
        ...(etcdRoot ? [etcdRoot.spec.etcdCA] : []),
        ...(read.acceptedEtcd?.spec.acceptedCAs ?? []),
      ]),
      aggregator: crts([
        ...(k8s?.spec.acceptedAggregatorCAs ?? []),
        ...(read.acceptedAggregator?.spec.acceptedCAs ?? []),
      ]),
    },
  };
}

function leavesIn({ api, trustd, etcd, kubeconfigs, dynamic }: Resources): Leaf[] {
  const all: Readonly<Record<RootName, Readonly<Record<string, Pem | null | undefined>>>> = {
    os: {
      "apid-server": api?.spec.server,
      "apid-client": api?.spec.client,
      "trustd-server": trustd?.spec.server,
    },
    etcd: {
      "etcd-server": etcd?.spec.etcd,
      "etcd-peer": etcd?.spec.etcdPeer,
      "etcd-admin": etcd?.spec.etcdAdmin,
      "etcd-apiserver-client": etcd?.spec.etcdAPIServer,
    },
    k8s: {
      "kube-apiserver": dynamic?.spec.apiServer,
      "apiserver-kubelet-client": dynamic?.spec.apiServerKubeletClient,
      "controller-manager": kubeconfig(kubeconfigs?.spec.controllerManagerKubeconfig),
      scheduler: kubeconfig(kubeconfigs?.spec.schedulerKubeconfig),
      admin: kubeconfig(kubeconfigs?.spec.adminKubeconfig),
      "localhost-admin": kubeconfig(kubeconfigs?.spec.localhostAdminKubeconfig),
    },
    aggregator: { "front-proxy-client": dynamic?.spec.frontProxy },
  };
  return Object.entries(all).flatMap(([root, leaves]) =>
    Object.entries(leaves).flatMap(([id, pem]) =>
      pem
        ? [{ id, root: root as RootName, facts: factsOf(pem.crt), hasKey: () => hasKey(pem) }]
        : [],
    ),
  );
}

let kubeconfigsRead = new Map<string, Pem>();

/** Reading YAML takes its time, and kubeconfigs change once a year. */
function kubeconfig(text = ""): Pem | undefined {
  if (text === "") return undefined;
  const before = kubeconfigsRead.get(text);
  if (before !== undefined) return before;
  if (kubeconfigsRead.size >= KUBECONFIGS_MAX) kubeconfigsRead = new Map();
  const pem = readKubeconfig(text);
  kubeconfigsRead.set(text, pem);
  return pem;
}

const KUBECONFIGS_MAX = 128;

const keyVerdicts = new WeakMap<Facts, { readonly key: string; readonly belongs: boolean }>();

function hasKey({ crt, key }: Pem): boolean {
  const facts = factsOf(crt);
  const seen = keyVerdicts.get(facts);
  if (seen?.key === key) return seen.belongs;
  let belongs = false;
  try {
    const spki = facts.publicKey.export({ type: "spki", format: "der" });
    belongs = spki.equals(readPrivateKey(key).publicKey.spki);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
  }
  keyVerdicts.set(facts, { key, belongs });
  return belongs;
}
