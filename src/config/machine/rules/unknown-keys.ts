/** Keys that Talos 1.13 does not know, in the document without a kind and its two sections. */
import { isRecord, type YamlValue } from "../../yaml/read.ts";
import type { Judgement, MachineRule } from "../judgement.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const topLevel = words("version debug persist machine cluster");
const sections = {
  machine: words(
    `type token ca acceptedCAs certSANs controlPlane kubelet pods network disks install files env time
    sysctls sysfs registries systemDiskEncryption features udev logging kernel seccompProfiles
    baseRuntimeSpecOverrides nodeLabels nodeAnnotations nodeTaints`,
  ),
  cluster: words(
    `id secret controlPlane clusterName network token aescbcEncryptionSecret
    secretboxEncryptionSecret ca acceptedCAs aggregatorCA serviceAccount apiServer controllerManager
    proxy scheduler discovery etcd coreDNS externalCloudProvider extraManifests extraManifestHeaders
    inlineManifests adminKubeconfig allowSchedulingOnMasters allowSchedulingOnControlPlanes`,
  ),
};

/** A mistyped key is a field that is not set, and nobody else would say so. */
export const unknownKeysRule: MachineRule = function* ({ document }) {
  const unknown = function* (
    held: YamlValue | undefined,
    known: ReadonlySet<string>,
    ...above: string[]
  ): Iterable<Judgement> {
    if (!isRecord(held)) return;
    for (const key of Object.keys(held))
      if (!known.has(key))
        yield { document, path: [...above, key], message: "unknown key", severity: "warning" };
  };
  yield* unknown(document.value, topLevel);
  for (const [name, known] of Object.entries(sections))
    yield* unknown(document.value[name], known, name);
};
