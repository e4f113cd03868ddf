/** New configurations from Talos 1.14 on: a document for each matter (talos-pki.md §3.5). */
import type { KeyedPem } from "#pki";
import type { WritableMap as Section } from "../../yaml/write.ts";
import type { Blueprint } from "./blueprint.ts";
import { auditPolicy, authentication, podSecurity } from "./defaults.ts";
import { certificateOnly, head, kubernetesImage, pair } from "./single-document.ts";

const document = (kind: string, content: Section): Section => ({
  apiVersion: "v1alpha1",
  kind,
  ...content,
});

const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";

/** The documents of a control plane. */
export const controlPlaneDocuments = (blueprint: Blueprint): Section[] => [
  legacyDocument(blueprint, true),
  ...machineDocuments(blueprint),
  ...clusterDocuments(blueprint, true),
  ...controlPlaneOnlyDocuments(blueprint),
];

/** The documents of a worker. */
export const workerDocuments = (blueprint: Blueprint): Section[] => [
  legacyDocument(blueprint, false),
  ...machineDocuments(blueprint),
  ...clusterDocuments(blueprint, false),
];

/** What has no document of its own yet. */
function legacyDocument({ bundle, additionalSans }: Blueprint, isControlPlane: boolean): Section {
  const { certs, trustdInfo, secrets } = bundle;
  return {
    ...head,
    machine: {
      type: isControlPlane ? "controlplane" : "worker",
      token: trustdInfo.token,
      ca: isControlPlane ? pair(certs.os) : certificateOnly(certs.os),
      certSANs: additionalSans,
      features: { diskQuotaSupport: true },
    },
    cluster: {
      token: secrets.bootstrapToken,
      etcd: isControlPlane ? { ca: pair(certs.etcd) } : undefined,
    },
  };
}

function machineDocuments({ bundle, ...blueprint }: Blueprint): Section[] {
  const { clusterDiscovery, installDisk, installImage } = blueprint;
  const { id, secret } = bundle.cluster;
  return [
    ...(clusterDiscovery
      ? [
          document("DiscoveryServiceConfig", {
            name: "default",
            endpoint: "https://discovery.talos.dev/",
          }),
        ]
      : []),
    document("DiscoveryIdentityConfig", { clusterID: id, clusterSecret: secret }),
    ...(installDisk === ""
      ? []
      : [
          document("UnattendedInstallConfig", {
            installer: { image: installImage },
            provisioning: {
              diskSelector: { match: `disk.dev_path == ${JSON.stringify(installDisk)}` },
              wipe: false,
            },
          }),
        ]),
    document("ResolverConfig", { hostDNS: { enabled: true, forwardKubeDNSToHost: true } }),
    document("VolumeConfig", { name: "EPHEMERAL", mount: { secure: true } }),
    document("FilesystemTrimConfig", { interval: "168h0m0s" }),
    document("SecurityProfileConfig", { workloadIsolation: true }),
    document("HostnameConfig", { auto: "stable" }),
  ];
}

function clusterDocuments(blueprint: Blueprint, isControlPlane: boolean): Section[] {
  const { clusterName, endpoint, bundle, dnsDomain, kubernetesVersion } = blueprint;
  const node = {
    labels: { [CONTROL_PLANE]: "", "node.kubernetes.io/exclude-from-external-load-balancers": "" },
    taints: { [CONTROL_PLANE]: "NoSchedule" },
  };
  return [
    document("KubeClusterConfig", { clusterName, endpoint }),
    document("KubeNodeConfig", { nodeIP: {}, ...(isControlPlane && node) }),
    document("KubeletConfig", {
      image: `ghcr.io/siderolabs/kubelet:v${kubernetesVersion}`,
      config: {},
      defaultRuntimeSeccompProfileEnabled: true,
    }),
    document("KubeNetworkConfig", {
      dnsDomain,
      podSubnets: ["10.244.0.0/16"],
      serviceSubnets: ["10.96.0.0/12"],
    }),
    document(
      "KubeAPIServerCAConfig",
      isControlPlane
        ? { issuingCA: plainPair(bundle.certs.k8s) }
        : { acceptedCAs: [bundle.certs.k8s.crt] },
    ),
    document("KubePrismConfig", { port: 7445 }),
  ];
}

const plainPair = ({ crt, key }: KeyedPem) => ({ cert: crt, key });

function controlPlaneOnlyDocuments(blueprint: Blueprint): Section[] {
  const { bundle, endpoint, additionalSans } = blueprint;
  const image = (name: string) => kubernetesImage(name, blueprint);
  return [
    document("KubeAggregatorCAConfig", { issuingCA: plainPair(bundle.certs.k8sAggregator) }),
    document("KubeAdmissionControlConfig", { name: "PodSecurity", configuration: podSecurity }),
    document("KubeAuditPolicyConfig", { configuration: auditPolicy }),
    document("KubeAuthenticationConfig", { configuration: authentication }),
    document("KubeAuthorizerConfig", { name: "node", type: "Node" }),
    document("KubeAuthorizerConfig", { name: "rbac", type: "RBAC" }),
    document("KubeEtcdEncryptionConfig", { config: encryption(blueprint) }),
    document("KubeServiceAccountConfig", {
      issuer: { privateKey: bundle.certs.k8sServiceAccount.key, issuerURL: endpoint },
    }),
    document("KubeAPIServerConfig", {
      image: image("kube-apiserver"),
      certExtraSANs: additionalSans.length === 0 ? undefined : additionalSans,
    }),
    document("KubeControllerManagerConfig", { image: image("kube-controller-manager") }),
    document("KubeSchedulerConfig", { image: image("kube-scheduler"), config: {} }),
    document("KubeProxyConfig", { image: image("kube-proxy"), config: {} }),
    document("KubeFlannelCNIConfig", { backendType: "vxlan", backendPort: 4789 }),
    document("KubeCoreDNSConfig", { enabled: true }),
  ];
}

/** By the provider that the secret was made for: Talos writes an old one under the wrong provider. */
function encryption({ bundle }: Blueprint): Section {
  const { aescbcEncryptionSecret: aescbc, secretboxEncryptionSecret: secretbox } = bundle.secrets;
  const provider =
    secretbox !== undefined
      ? { secretbox: { keys: [{ name: "key2", secret: secretbox }] } }
      : { aescbc: { keys: [{ name: "key1", secret: aescbc ?? "" }] } };
  return { resources: [{ providers: [provider], resources: ["secrets"] }] };
}
