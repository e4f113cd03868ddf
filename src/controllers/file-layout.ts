/**
 * Which file holds what. Authorities' keys stay out of the file system, but for the one that
 * kube-controller-manager signs with. An authority's file holds every accepted one, issuing first.
 */
import type { Holdings } from "./inventory.ts";
import { authorityOf, trustedUnder, type Root } from "./inventory.ts";

type Files = Record<string, string>;

/** Directory below the PKI directory → file name → contents. What is not there yet is left out. */
export async function fileSets(
  held: Holdings,
  publicKeyOf: (pem: string) => Promise<string>,
): Promise<Record<string, Files>> {
  return {
    talos: talosFiles(held),
    kubernetes: kubeconfigFiles(held),
    "kubernetes/pki": await kubernetesFiles(held, publicKeyOf),
    "kubernetes/pki/etcd": etcdFiles(held),
  };
}

const talosFiles = (held: Holdings): Files => ({
  ...authorityFile("ca.crt", "os", held),
  ...pair("apid", held.api?.spec.server),
  ...pair("apid-client", held.api?.spec.client),
  ...pair("trustd", held.trustd?.spec.server),
});

const kubeconfigFiles = (held: Holdings): Files => {
  const configs = held.kubeconfigs?.spec;
  return configs
    ? {
        "admin.conf": configs.adminKubeconfig,
        "controller-manager.conf": configs.controllerManagerKubeconfig,
        "scheduler.conf": configs.schedulerKubeconfig,
      }
    : {};
};

async function kubernetesFiles(
  held: Holdings,
  publicKeyOf: (pem: string) => Promise<string>,
): Promise<Files> {
  const root = held.k8s?.spec;
  if (!root) return {};
  const also = held.accepted.find(({ metadata }) => metadata.id === "service-account");
  const accepted = also?.spec.acceptedKeys.map(({ key }) => key) ?? [];
  return {
    ...authorityFile("ca.crt", "k8s", held),
    "ca.key": root.issuingCA.key,
    ...authorityFile("front-proxy-ca.crt", "aggregator", held),
    "sa.key": root.serviceAccount.key,
    "sa.pub": [await publicKeyOf(root.serviceAccount.key), ...accepted].join(""),
    ...pair("apiserver", held.dynamic?.spec.apiServer),
    ...pair("apiserver-kubelet-client", held.dynamic?.spec.apiServerKubeletClient),
    ...pair("front-proxy-client", held.dynamic?.spec.frontProxy),
    ...pair("apiserver-etcd-client", held.etcd?.spec.etcdAPIServer),
  };
}

const etcdFiles = (held: Holdings): Files => ({
  ...authorityFile("ca.crt", "etcd", held),
  ...pair("server", held.etcd?.spec.etcd),
  ...pair("peer", held.etcd?.spec.etcdPeer),
  ...pair("healthcheck-client", held.etcd?.spec.etcdAdmin),
});

function authorityFile(name: string, root: Root, held: Holdings): Files {
  const issuing = authorityOf(root, held)?.crt;
  if (issuing === undefined) return {};
  const others = trustedUnder(root, held).filter((crt) => crt !== issuing);
  return { [name]: [issuing, ...others].join("") };
}

const pair = (
  name: string,
  pem: { readonly crt: string; readonly key: string } | null | undefined,
): Files => (pem ? { [`${name}.crt`]: pem.crt, [`${name}.key`]: forServers(pem.key) } : {});

/**
 * Talos' label of an Ed25519 key is one that OpenSSL does not know; the body is PKCS #8 all the same
 * (talos-pki.md §2.5).
 */
const forServers = (key: string): string => key.replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY");
