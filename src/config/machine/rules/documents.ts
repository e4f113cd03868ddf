/** The rules of Talos for documents with a kind: alone, and beside the one without (talos-pki.md §4.4). */
import { isRole } from "../../roles.ts";
import { isRecord, type YamlMap } from "../../yaml/read.ts";
import type { ConfigDocument } from "../documents.ts";
import { kinds } from "../kinds.ts";
import type { Judgement, MachineRule, Subject } from "../judgement.ts";
import type { DocumentOf } from "../schema.ts";

/** What a kind says that the document without a kind can say too, and Talos' words where both do. */
const conflicts: Readonly<Record<string, readonly (readonly [path: string, message: string])[]>> = {
  DiscoveryIdentityConfig: [
    ["cluster.id", "cluster ID is already set in v1alpha1 config (.cluster.id)"],
    ["cluster.secret", "cluster secret is already set in v1alpha1 config (.cluster.secret)"],
  ],
  HostnameConfig: [
    [
      "machine.network.hostname",
      "static hostname is already set in v1alpha1 config (.machine.network.hostname)",
    ],
    [
      "machine.features.stableHostname",
      "stable hostname is already set in v1alpha1 config (.machine.features.stableHostname)",
    ],
  ],
  KubeAggregatorCAConfig: [
    [
      "cluster.aggregatorCA",
      "kube-apiserver aggregator CA is already set in v1alpha1 config (.cluster.aggregatorCA), " +
        "please remove it and use the new KubeAggregatorCAConfig document instead",
    ],
  ],
  KubeAPIServerCAConfig: [
    ["cluster.ca", "kube-apiserver CA is already set in v1alpha1 config (.cluster.ca)"],
    [
      "cluster.acceptedCAs",
      "kube-apiserver accepted CAs are already set in v1alpha1 config (.cluster.acceptedCAs)",
    ],
  ],
  KubeAPIServerConfig: [
    [
      "cluster.apiServer",
      "kube-apiserver config is already set in v1alpha1 config (.cluster.apiServer)",
    ],
    [
      "cluster.controlPlane.localAPIServerPort",
      "kube-apiserver API port is already set in v1alpha1 config (.cluster.controlPlane.localAPIServerPort)",
    ],
  ],
  KubeClusterConfig: [
    [
      "cluster.clusterName",
      "cluster name is already set in v1alpha1 config (.cluster.clusterName)",
    ],
    [
      "cluster.controlPlane.endpoint",
      "cluster endpoint is already set in v1alpha1 config (.cluster.controlPlane.endpoint)",
    ],
  ],
  KubeEtcdEncryptionConfig: [
    [
      "cluster.secretboxEncryptionSecret",
      "etcd encryption is already set in v1alpha1 config (.cluster.secretboxEncryptionSecret)",
    ],
    [
      "cluster.aescbcEncryptionSecret",
      "etcd encryption is already set in v1alpha1 config (.cluster.aescbcEncryptionSecret)",
    ],
  ],
  KubeNetworkConfig: [
    ["cluster.network", "cluster network is already set in v1alpha1 config (.cluster.network)"],
  ],
  KubeServiceAccountConfig: [
    [
      "cluster.serviceAccount",
      "service account is already set in v1alpha1 config (.cluster.serviceAccount)",
    ],
  ],
  KubeTalosAPIAccessConfig: [
    [
      "machine.features.kubernetesTalosAPIAccess",
      "Kubernetes Talos API access is already set in v1alpha1 config (.machine.features.kubernetesTalosAPIAccess)",
    ],
  ],
  TimeSyncConfig: [["machine.time", "time sync is already set in v1alpha1 config (.machine.time)"]],
};

/** Says everything by one document only. */
export const conflictRule: MachineRule = function* (subject) {
  for (const { kind } of subject.config.documents)
    for (const [path, message] of conflicts[kind] ?? [])
      if (isSet(subject.document.value, path))
        yield { document: subject.document, path: path.split("."), message };
};

function isSet(root: YamlMap, path: string): boolean {
  let value: YamlMap[string] | undefined = root;
  for (const key of path.split(".")) value = isRecord(value) ? value[key] : undefined;
  return value !== undefined && value !== null && value !== "" && value !== "false";
}

/** Keeps what control planes alone do off workers. */
export const controlPlaneOnlyRule: MachineRule = function* ({ config, isControlPlane }) {
  if (isControlPlane) return;
  for (const document of config.documents)
    if (kinds[document.kind]?.controlPlaneOnly === true)
      yield {
        document,
        path: [],
        message: `the following document kinds are only allowed on control plane machines: [${document.kind}]`,
      };
};

type Complain = (path: (string | number)[], message: string) => Judgement;

const contentRules: Readonly<
  Record<
    string,
    (document: ConfigDocument, complain: Complain, subject: Subject) => Iterable<Judgement>
  >
> = {
  *KubeTalosAPIAccessConfig({ content }, complain) {
    const { allowedRoles } = content as DocumentOf<"KubeTalosAPIAccessConfig">;
    for (const [index, role] of allowedRoles.entries())
      if (!isRole(role))
        yield complain(
          ["allowedRoles", index],
          `invalid role ${JSON.stringify(role)} in .allowedRoles`,
        );
  },
  *HostnameConfig({ content }, complain) {
    const { auto, hostname } = content as DocumentOf<"HostnameConfig">;
    if (auto === "" && hostname === "")
      yield complain(["auto"], "either 'auto' or 'hostname' must be set");
    if (auto !== "" && auto !== "off" && auto !== "stable")
      yield complain(["auto"], "invalid value for 'auto': it is stable or off");
    if (auto === "stable" && hostname !== "")
      yield complain(["hostname"], "'auto' and 'hostname' cannot be set at the same time");
  },
  *KubeServiceAccountConfig({ content }, complain) {
    const { issuer } = content as DocumentOf<"KubeServiceAccountConfig">;
    if ((issuer?.privateKey ?? "") === "")
      yield complain(["issuer", "privateKey"], "service issuer private key is required");
    if ((issuer?.issuerURL ?? "") === "")
      yield complain(["issuer", "issuerURL"], "service issuer URL is required");
  },
  *KubeAggregatorCAConfig({ content }, complain) {
    const { issuingCA } = content as DocumentOf<"KubeAggregatorCAConfig">;
    if (issuingCA === undefined) yield complain(["issuingCA"], "issuing CA is not set");
  },
  *KubeAPIServerCAConfig({ content }, complain, { isControlPlane }) {
    const { issuingCA, acceptedCAs } = content as DocumentOf<"KubeAPIServerCAConfig">;
    if (issuingCA !== undefined && !isControlPlane)
      yield complain(
        ["issuingCA"],
        "issuing CA is not allowed on non-controlplane nodes: leave acceptedCAs only",
      );
    if (issuingCA === undefined && acceptedCAs.length === 0)
      yield complain(["issuingCA"], "issuing CA is not set");
  },
  *DiscoveryIdentityConfig({ content }, complain) {
    const { clusterID, clusterSecret } = content as DocumentOf<"DiscoveryIdentityConfig">;
    if (clusterID === "") yield complain(["clusterID"], "clusterID is required");
    if (Buffer.from(clusterSecret, "base64").length !== 32)
      yield complain(["clusterSecret"], "clusterSecret must be base64 of 32 bytes");
  },
  *TrustedRootsConfig({ content }, complain) {
    const { name, certificates } = content as DocumentOf<"TrustedRootsConfig">;
    if (name === "") yield complain(["name"], "name is required");
    if (certificates.trim() === "") yield complain(["certificates"], "certificates are required");
  },
};

/** Looks into the documents that this project works with. */
export const contentRule: MachineRule = function* (subject) {
  for (const document of subject.config.documents) {
    const complain: Complain = (path, message) => ({ document, path, message });
    yield* contentRules[document.kind]?.(document, complain, subject) ?? [];
  }
};

/** In the order in which Talos complains. */
export const documentRules: readonly MachineRule[] = [
  contentRule,
  conflictRule,
  controlPlaneOnlyRule,
];
