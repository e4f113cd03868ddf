/** Files of a cluster: secrets bundle, machine configuration, talosconfig, kubeconfig. */
export {
  canonicalAddress,
  firstAddress,
  inNetworks,
  isAddress,
  isLoopback,
  isNetwork,
  isRoutable,
  sortAddresses,
  sortNames,
} from "./address.ts";
export type { LoadedBundle, SecretsBundle } from "./bundle/bundle.ts";
export {
  bundleFromKubernetesPki,
  kubernetesPkiFiles,
  type KubernetesPki,
} from "./bundle/from-kubernetes-pki.ts";
export { bundleFromMachineConfig } from "./bundle/from-machine-config.ts";
export { issueBundle, issueRoot, type BundleSources } from "./bundle/issue.ts";
export { loadBundle, readBundle } from "./bundle/read.ts";
export { writeBundle } from "./bundle/write.ts";
export { readDuration } from "#pki";
export { hostnameProblem } from "./hostname.ts";
export {
  BundleInvalidError,
  BundleParseError,
  CertSanError,
  ClusterNameError,
  ConfigIncompleteError,
  ConfigInvalidError,
  ConfigParseError,
  ConfigPatchError,
  DnsDomainError,
  DuplicateDocumentError,
  EndpointError,
  KubeconfigParseError,
  KubernetesVersionError,
  TalosconfigParseError,
  TalosContextError,
  TalosVersionError,
  UnknownDocumentError,
  UnknownRolesError,
} from "./errors.ts";
export { keyLabelProblem } from "./key-material.ts";
export { readKubeconfig, writeKubeconfig, type KubeconfigRequest } from "./kubeconfig.ts";
export { checkMachineConfig, type CheckOptions } from "./machine/check.ts";
export { configurationDiff } from "./machine/configuration-diff.ts";
export { differingFields } from "./machine/difference.ts";
export type { RuntimeMode } from "./machine/judgement.ts";
export { loadMachineConfig } from "./machine/load.ts";
export type {
  CertificatePem,
  HostnameChoice,
  KeyPem,
  KubeletJoin,
  KubernetesRoot,
  MachineConfig,
  OSRoot,
  TalosApiAccess,
  TrustedRoots,
} from "./machine/machine-config.ts";
export type { ConfigDocument } from "./machine/documents.ts";
export { checkClusterChoices, type MachineConfigSources } from "./machine/new/blueprint.ts";
export { generateMachineConfigs } from "./machine/new/machine-configs.ts";
export { applyConfigPatches, readConfigPatch, type ConfigPatch } from "./patch/patch.ts";
export { readPolicy, writePolicy, type PolicyDocument } from "./policy.ts";
export { isRole, readRoles, roles, type Role } from "./roles.ts";
export { DEFAULT_TALOS_VERSION, readTalosVersion, type TalosVersion } from "./talos-version.ts";
export {
  addTalosContext,
  infoOfContext,
  mergeTalosconfigs,
  type ContextInfo,
  type Rename,
} from "./talosconfig/contexts.ts";
export { contextNameOf, issueTalosconfig, type TalosconfigRequest } from "./talosconfig/issue.ts";
export {
  readTalosconfig,
  writeTalosconfig,
  type TalosContext,
  type Talosconfig,
} from "./talosconfig/talosconfig.ts";
export { isToken, issueToken } from "./token.ts";
