/** New configurations up to Talos 1.13: nearly everything in the document without a kind. */
import type { KeyedPem } from "#pki";
import { encodePem } from "../../pem-text.ts";
import { isAtLeast } from "../../talos-version.ts";
import type { WritableMap as Section } from "../../yaml/write.ts";
import type { Blueprint } from "./blueprint.ts";
import { auditPolicy, podSecurity } from "./defaults.ts";

const KUBE_PRISM_PORT = 7445;

/** The documents of a control plane. */
export const controlPlaneDocuments = (blueprint: Blueprint): Section[] => [
  {
    ...head,
    machine: machine(blueprint, "controlplane"),
    cluster: {
      ...clusterHead(blueprint, true),
      ...encryptionSecret(blueprint),
      ca: pair(blueprint.bundle.certs.k8s),
      aggregatorCA: pair(blueprint.bundle.certs.k8sAggregator),
      serviceAccount: { key: encodePem(blueprint.bundle.certs.k8sServiceAccount.key) },
      apiServer: apiServer(blueprint),
      controllerManager: { image: kubernetesImage("kube-controller-manager", blueprint) },
      proxy: { image: kubernetesImage("kube-proxy", blueprint) },
      scheduler: { image: kubernetesImage("kube-scheduler", blueprint) },
      discovery: discovery(blueprint),
      etcd: { ca: pair(blueprint.bundle.certs.etcd) },
    },
  },
  ...hostnameDocument(blueprint),
];

/** The documents of a worker. */
export const workerDocuments = (blueprint: Blueprint): Section[] => [
  {
    ...head,
    machine: machine(blueprint, "worker"),
    cluster: {
      ...clusterHead(blueprint, isAtLeast(blueprint.version, 8)),
      ca: certificateOnly(blueprint.bundle.certs.k8s),
      discovery: discovery(blueprint),
    },
  },
  ...hostnameDocument(blueprint),
];

/** How the document without a kind begins. */
export const head = { version: "v1alpha1", debug: false, persist: true } as const;

/** A certificate and its key as they stand in the document without a kind. */
export const pair = ({ crt, key }: KeyedPem) => ({ crt: encodePem(crt), key: encodePem(key) });

/** The same for workers, who must not have the key; Talos writes the field all the same. */
export const certificateOnly = ({ crt }: KeyedPem) => ({ crt: encodePem(crt), key: "" });

/** An image of Kubernetes' own. */
export const kubernetesImage = (name: string, { kubernetesVersion }: Blueprint): string =>
  `registry.k8s.io/${name}:v${kubernetesVersion}`;

function machine(blueprint: Blueprint, type: "controlplane" | "worker"): Section {
  const { version, bundle, additionalSans, kubernetesVersion } = blueprint;
  const isControlPlane = type === "controlplane";
  return {
    type,
    token: bundle.trustdInfo.token,
    ca: isControlPlane ? pair(bundle.certs.os) : certificateOnly(bundle.certs.os),
    certSANs: additionalSans,
    kubelet: {
      image: `ghcr.io/siderolabs/kubelet:v${kubernetesVersion}`,
      defaultRuntimeSeccompProfileEnabled: isAtLeast(version, 2) ? true : undefined,
      disableManifestsDirectory: isAtLeast(version, 3) ? true : undefined,
    },
    network: isAtLeast(version, 13) ? undefined : {},
    install: {
      disk: given(blueprint.installDisk),
      image: given(blueprint.installImage),
      wipe: false,
      grubUseUKICmdline: isAtLeast(version, 12) ? true : undefined,
    },
    features: features(blueprint),
    nodeLabels:
      isControlPlane && isAtLeast(version, 8)
        ? { "node.kubernetes.io/exclude-from-external-load-balancers": "" }
        : undefined,
  };
}

const given = (text: string): string | undefined => (text === "" ? undefined : text);

function features({ version }: Blueprint): Section {
  const legacy = !isAtLeast(version, 12);
  const since = (minor: number) => (isAtLeast(version, minor) ? true : undefined);
  return {
    rbac: legacy ? true : undefined,
    stableHostname: legacy ? since(2) : undefined,
    apidCheckExtKeyUsage: legacy ? since(3) : undefined,
    diskQuotaSupport: since(5),
    kubePrism: since(6) && { enabled: true, port: KUBE_PRISM_PORT },
    hostDNS: since(7) && { enabled: true, forwardKubeDNSToHost: since(8) },
  };
}

const clusterHead = (blueprint: Blueprint, named: boolean): Section => ({
  id: blueprint.bundle.cluster.id,
  secret: blueprint.bundle.cluster.secret,
  controlPlane: { endpoint: blueprint.endpoint },
  clusterName: named ? blueprint.clusterName : undefined,
  network: {
    dnsDomain: blueprint.dnsDomain,
    podSubnets: ["10.244.0.0/16"],
    serviceSubnets: ["10.96.0.0/12"],
  },
  token: blueprint.bundle.secrets.bootstrapToken,
});

function encryptionSecret({ bundle }: Blueprint): Section {
  const { aescbcEncryptionSecret, secretboxEncryptionSecret } = bundle.secrets;
  return { aescbcEncryptionSecret, secretboxEncryptionSecret };
}

function apiServer(blueprint: Blueprint): Section {
  const { version, additionalSans, host } = blueprint;
  const sans = isAtLeast(version, 12) ? additionalSans : [host, ...additionalSans];
  return {
    image: kubernetesImage("kube-apiserver", blueprint),
    certSANs: sans.length === 0 ? undefined : sans,
    disablePodSecurityPolicy: isAtLeast(version, 12) ? undefined : true,
    admissionControl: isAtLeast(version, 1)
      ? [{ name: "PodSecurity", configuration: podSecurity }]
      : undefined,
    auditPolicy: isAtLeast(version, 3) ? auditPolicy : undefined,
  };
}

const discovery = ({ clusterDiscovery, version }: Blueprint): Section => ({
  enabled: clusterDiscovery,
  registries: {
    kubernetes: isAtLeast(version, 2) ? { disabled: true } : {},
    service: {},
  },
});

const hostnameDocument = ({ version }: Blueprint): Section[] =>
  isAtLeast(version, 12)
    ? [{ apiVersion: "v1alpha1", kind: "HostnameConfig", auto: "stable" }]
    : [];
