/** The roots that are in force, whichever document they stand in (talos-pki.md §4.3). */
import { type KeyedPem, publicKeyPem, readPrivateKey } from "#pki";
import { CodedError } from "#runtime";
import { decodePem } from "../pem-text.ts";
import { type ConfigDocument, contentOf, V1ALPHA1 } from "./documents.ts";
import type { CertificatePem, KubeletJoin, KubernetesRoot, OSRoot } from "./machine-config.ts";

type Documents = readonly ConfigDocument[];

const POD_SUBNETS = ["10.244.0.0/16"];
const SERVICE_SUBNETS = ["10.96.0.0/12"];
const DNS_DOMAIN = "cluster.local";
const API_SERVER_PORT = 6443;

/** The root of the Talos API. */
export function osRoot(documents: Documents): OSRoot {
  const machine = contentOf(documents, V1ALPHA1)?.machine;
  const ca = pairOf(machine?.ca);
  return {
    ...(ca.key !== "" && { issuingCA: ca }),
    acceptedCAs: [...certificatesOf(machine?.acceptedCAs), ...present(ca)],
    token: machine?.token ?? "",
    certSANs: [...(machine?.certSANs ?? [])],
  };
}

/** The root of etcd. */
export function etcdRoot(documents: Documents): KeyedPem | undefined {
  const ca = pairOf(contentOf(documents, V1ALPHA1)?.cluster?.etcd?.ca);
  return ca.crt === "" ? undefined : ca;
}

/** The roots of Kubernetes. */
export function kubernetesRoot(documents: Documents): KubernetesRoot | undefined {
  const { issuingCA, acceptedCAs } = kubernetesAuthorities(documents);
  const { aggregatorCA, acceptedAggregatorCAs } = aggregatorAuthorities(documents);
  const key = serviceAccountKey(documents);
  if (issuingCA.crt === "" || aggregatorCA.crt === "" || key === "") return undefined;
  const cluster = contentOf(documents, V1ALPHA1)?.cluster;
  const document = contentOf(documents, "KubeServiceAccountConfig");
  const apiServer = contentOf(documents, "KubeAPIServerConfig");
  const network = contentOf(documents, "KubeNetworkConfig") ?? cluster?.network;
  const endpoint = clusterEndpoint(documents);
  const issuerURL = document?.issuer?.issuerURL ?? endpoint;
  const audiences = document?.accepted?.audiences ?? [];
  const port = apiServer?.apiPort ?? cluster?.controlPlane?.localAPIServerPort ?? 0;
  const dnsDomain = network?.dnsDomain ?? "";
  return {
    name: contentOf(documents, "KubeClusterConfig")?.clusterName ?? cluster?.clusterName ?? "",
    endpoint,
    localEndpoint: `https://localhost:${port === 0 ? API_SERVER_PORT : port}`,
    certSANs: [...(apiServer?.certExtraSANs ?? cluster?.apiServer?.certSANs ?? [])],
    dnsDomain: dnsDomain === "" ? DNS_DOMAIN : dnsDomain,
    issuingCA,
    acceptedCAs,
    aggregatorCA,
    acceptedAggregatorCAs,
    serviceAccount: { key },
    serviceAccountAcceptedKeys: [
      ...publicKeyOf(key),
      ...(document?.accepted?.publicKeys ?? []).map((pem) => ({ key: pem })),
    ],
    issuerURL,
    acceptedIssuers: [...(document?.accepted?.issuers ?? [])],
    apiAudiences: audiences.length > 0 ? [...audiences] : [issuerURL],
    ...encryptionSecrets(documents),
    ...bootstrapToken(documents),
    ...subnets(documents),
  };
}

/** What a kubelet needs to join. */
export const kubeletJoin = (documents: Documents): KubeletJoin => ({
  endpoint: clusterEndpoint(documents),
  acceptedCAs: kubernetesAuthorities(documents).acceptedCAs,
  ...bootstrapToken(documents),
});

/** The networks of pods and services. */
export function clusterNetworks(documents: Documents): string[] {
  const { podSubnets, serviceSubnets } = subnets(documents);
  return [...podSubnets, ...serviceSubnets];
}

/** The URL by which the Kubernetes API is reached; empty where there is none. */
export const clusterEndpoint = (documents: Documents): string =>
  contentOf(documents, "KubeClusterConfig")?.endpoint ??
  contentOf(documents, V1ALPHA1)?.cluster?.controlPlane?.endpoint ??
  "";

/** The key that signs service-account tokens; empty where there is none. */
export const serviceAccountKey = (documents: Documents): string =>
  contentOf(documents, "KubeServiceAccountConfig")?.issuer?.privateKey ??
  decodePem(contentOf(documents, V1ALPHA1)?.cluster?.serviceAccount?.key ?? "");

/** The authorities of the Kubernetes API; empty texts for an issuing one that is not there. */
export function kubernetesAuthorities(documents: Documents) {
  const document = contentOf(documents, "KubeAPIServerCAConfig");
  const cluster = contentOf(documents, V1ALPHA1)?.cluster;
  const issuingCA = document ? plainPair(document.issuingCA) : pairOf(cluster?.ca);
  const accepted = document
    ? document.acceptedCAs.map((crt) => ({ crt }))
    : certificatesOf(cluster?.acceptedCAs);
  return { issuingCA, acceptedCAs: [...present(issuingCA), ...accepted] };
}

/** The authorities of aggregated APIs; empty texts for an issuing one that is not there. */
export function aggregatorAuthorities(documents: Documents) {
  const document = contentOf(documents, "KubeAggregatorCAConfig");
  const legacy = contentOf(documents, V1ALPHA1)?.cluster?.aggregatorCA;
  const aggregatorCA = document ? plainPair(document.issuingCA) : pairOf(legacy);
  const accepted = document?.acceptedCAs.map((crt) => ({ crt })) ?? [];
  return { aggregatorCA, acceptedAggregatorCAs: [...present(aggregatorCA), ...accepted] };
}

/** The secret that etcd's contents are encrypted with, as the provider that uses it. */
export function encryptionSecrets(documents: Documents) {
  const cluster = contentOf(documents, V1ALPHA1)?.cluster;
  const rules = contentOf(documents, "KubeEtcdEncryptionConfig")?.config?.resources;
  if (rules === undefined)
    return {
      aesCBCEncryptionSecret: cluster?.aescbcEncryptionSecret ?? "",
      secretboxEncryptionSecret: cluster?.secretboxEncryptionSecret ?? "",
    };
  const provider = rules.find(({ resources }) => resources.includes("secrets"))?.providers[0];
  return {
    aesCBCEncryptionSecret: provider?.aescbc?.keys[0]?.secret ?? "",
    secretboxEncryptionSecret: provider?.secretbox?.keys[0]?.secret ?? "",
  };
}

function bootstrapToken(documents: Documents) {
  const token = contentOf(documents, V1ALPHA1)?.cluster?.token ?? "";
  const [bootstrapTokenID = "", bootstrapTokenSecret = ""] = token.split(".");
  return { bootstrapTokenID, bootstrapTokenSecret };
}

function subnets(documents: Documents) {
  const network =
    contentOf(documents, "KubeNetworkConfig") ?? contentOf(documents, V1ALPHA1)?.cluster?.network;
  return {
    podSubnets: orDefault(network?.podSubnets, POD_SUBNETS),
    serviceSubnets: orDefault(network?.serviceSubnets, SERVICE_SUBNETS),
  };
}

const orDefault = (list: readonly string[] | undefined, standard: readonly string[]): string[] =>
  list === undefined || list.length === 0
    ? [...standard]
    : list.flatMap((text) => text.split(",")).map((text) => text.trim());

type Encoded = { readonly crt: string; readonly key: string } | undefined;
type Plain = { readonly cert: string; readonly key: string } | undefined;

const pairOf = (encoded: Encoded): KeyedPem => ({
  crt: decodePem(encoded?.crt ?? ""),
  key: decodePem(encoded?.key ?? ""),
});

const plainPair = (plain: Plain): KeyedPem => ({ crt: plain?.cert ?? "", key: plain?.key ?? "" });

const certificatesOf = (list: readonly { readonly crt: string }[] = []): CertificatePem[] =>
  list.map(({ crt }) => ({ crt: decodePem(crt) }));

const present = ({ crt }: KeyedPem): CertificatePem[] => (crt === "" ? [] : [{ crt }]);

/** The public half of a private key; none where the key cannot be read, which the checks tell. */
function publicKeyOf(pem: string): { key: string }[] {
  try {
    return [{ key: publicKeyPem(readPrivateKey(pem).publicKey) }];
  } catch (error) {
    if (error instanceof CodedError) return [];
    throw error;
  }
}
