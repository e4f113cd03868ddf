/** Keys that Talos 1.13 does not know, in the part of a configuration that public keys need. */
import { type FieldPath, isRecord, type YamlValue } from "../../yaml/read.ts";
import { type ConfigDocument, V1ALPHA1 } from "../documents.ts";
import type { Judgement, MachineRule } from "../judgement.ts";

/** The keys of a mapping; `undefined` where what is below is not looked at, a list for each item. */
interface Known {
  readonly [key: string]: Known | readonly [Known] | undefined;
}

/** Keys below which nothing is looked at. */
const words = (text: string): Known =>
  Object.fromEntries(text.split(/\s+/).map((word) => [word, undefined]));

const pair = words("crt key");
const accepted = [words("crt")] as const;

const v1alpha1: Known = {
  ...words("version debug persist"),
  machine: {
    ...words(
      `type token certSANs controlPlane kubelet pods network disks install files env time sysctls
      sysfs registries systemDiskEncryption udev logging kernel seccompProfiles
      baseRuntimeSpecOverrides nodeLabels nodeAnnotations nodeTaints features`,
    ),
    ca: pair,
    acceptedCAs: accepted,
  },
  cluster: {
    ...words(
      `id secret clusterName network token aescbcEncryptionSecret secretboxEncryptionSecret
      controllerManager proxy scheduler discovery coreDNS externalCloudProvider extraManifests
      extraManifestHeaders inlineManifests allowSchedulingOnMasters allowSchedulingOnControlPlanes`,
    ),
    ca: pair,
    acceptedCAs: accepted,
    aggregatorCA: pair,
    serviceAccount: words("key"),
    controlPlane: words("endpoint localAPIServerPort"),
    adminKubeconfig: words("certLifetime"),
    apiServer: words(
      `image extraArgs extraVolumes env certSANs disablePodSecurityPolicy admissionControl
      auditPolicy resources authorizationConfig`,
    ),
    etcd: { ...words("image extraArgs advertisedSubnets listenSubnets subnet"), ca: pair },
  },
};

const authority: Known = {
  ...words("apiVersion kind acceptedCAs"),
  issuingCA: words("cert key"),
};

/** By the kind of the document. */
const documents: Readonly<Record<string, Known>> = {
  [V1ALPHA1]: v1alpha1,
  KubeAPIServerCAConfig: authority,
  KubeAggregatorCAConfig: authority,
  KubeServiceAccountConfig: {
    ...words("apiVersion kind"),
    issuer: words("privateKey issuerURL"),
    accepted: words("publicKeys issuers audiences"),
  },
  DiscoveryIdentityConfig: words("apiVersion kind clusterID clusterSecret"),
  KubeTalosAPIAccessConfig: words("apiVersion kind allowedRoles allowedKubernetesNamespaces"),
  TrustedRootsConfig: words("apiVersion kind name certificates"),
};

/** A mistyped key is a field that is not set, and nobody else would say so. */
export const unknownKeysRule: MachineRule = function* ({ config }) {
  for (const document of config.documents)
    for (const path of unknownKeys(document))
      yield { document, path, message: "unknown key", severity: "warning" } satisfies Judgement;
};

/** The paths of keys that are not known, in the documents that are looked into. */
export function* unknownKeys({ kind, value }: ConfigDocument): Iterable<FieldPath> {
  const known = documents[kind];
  if (known !== undefined) yield* unknown(value, known, []);
}

function* unknown(
  held: YamlValue | undefined,
  known: Known,
  above: FieldPath,
): Iterable<FieldPath> {
  if (!isRecord(held)) return;
  for (const [key, value] of Object.entries(held)) {
    const path = [...above, key];
    const below = Object.hasOwn(known, key) ? known[key] : null;
    if (below === null) yield path;
    else if (isItems(below))
      for (const [index, item] of (Array.isArray(value) ? (value as YamlValue[]) : []).entries())
        yield* unknown(item, below[0], [...path, index]);
    else if (below !== undefined) yield* unknown(value, below, path);
  }
}

const isItems = (known: Known | readonly [Known] | undefined): known is readonly [Known] =>
  Array.isArray(known);
