/** Loads a machine configuration; whether it makes sense is for {@link checkMachineConfig} to say. */
import { hours } from "#runtime";
import { readDuration } from "#pki";
import { contentOf, type ConfigDocument, readDocuments, V1ALPHA1 } from "./documents.ts";
import { clusterNetworks, etcdRoot, kubeletJoin, kubernetesRoot, osRoot } from "./effective.ts";
import type {
  HostnameChoice,
  MachineConfig,
  TalosApiAccess,
  TrustedRoots,
} from "./machine-config.ts";
import type { DocumentOf } from "./schema.ts";

/**
 * Loads a configuration of one or more documents.
 *
 * @param source names the file in errors
 * @throws {ConfigParseError} with file and line, when it is not YAML or a field has the wrong shape
 * @throws {UnknownDocumentError} for a kind that Talos does not know
 * @throws {DuplicateDocumentError} for two documents of one kind and name
 * @see talos-pki.md §4
 */
export function loadMachineConfig(text: string, source = "the configuration"): MachineConfig {
  const id = `${source}\n${text}`;
  const config = remembered.get(id) ?? load(text, source);
  remembered.delete(id);
  remembered.set(id, config);
  for (const oldest of [...remembered.keys()].slice(0, -REMEMBERED_MAX)) remembered.delete(oldest);
  return config;
}

/** One text is loaded by many who do not know each other, and what comes of it never changes. */
const remembered = new Map<string, MachineConfig>();
const REMEMBERED_MAX = 4;

function load(text: string, source: string): MachineConfig {
  const documents = readDocuments(text, source);
  const v1alpha1 = contentOf(documents, V1ALPHA1);
  const { machine, cluster } = v1alpha1 ?? {};
  const identity = contentOf(documents, "DiscoveryIdentityConfig");
  const lifetime = readDuration(cluster?.adminKubeconfig?.certLifetime ?? "");
  return Object.freeze({
    source,
    text,
    documents,
    v1alpha1,
    type: isControlPlane(machine?.type) ? "controlplane" : "worker",
    clusterName:
      contentOf(documents, "KubeClusterConfig")?.clusterName ?? cluster?.clusterName ?? "",
    clusterIdentity: {
      id: identity?.clusterID ?? cluster?.id ?? "",
      secret: identity?.clusterSecret ?? cluster?.secret ?? "",
    },
    timeDisabled:
      machine?.time?.disabled === true || contentOf(documents, "TimeSyncConfig")?.enabled === false,
    talosApiAccess: talosApiAccess(documents),
    adminKubeconfigLifetime: lifetime === undefined || lifetime <= 0 ? hours(8760) : lifetime,
    trustedRoots: trustedRoots(documents),
    osRoot: () => osRoot(documents),
    kubernetesRoot: () => kubernetesRoot(documents),
    etcdRoot: () => etcdRoot(documents),
    kubelet: () => kubeletJoin(documents),
    hostname: () => hostname(documents),
    clusterNetworks: () => clusterNetworks(documents),
  } satisfies MachineConfig);
}

/** Tells whether a machine of this type is a control plane; `init` is its name of old. */
export const isControlPlane = (type: string | undefined): boolean =>
  type === "controlplane" || type === "init";

function talosApiAccess(documents: readonly ConfigDocument[]): TalosApiAccess | undefined {
  const document = contentOf(documents, "KubeTalosAPIAccessConfig");
  const legacy = contentOf(documents, V1ALPHA1)?.machine?.features?.kubernetesTalosAPIAccess;
  const access = document ?? (legacy?.enabled === true ? legacy : undefined);
  return (
    access && {
      allowedRoles: access.allowedRoles,
      allowedKubernetesNamespaces: access.allowedKubernetesNamespaces,
    }
  );
}

const trustedRoots = (documents: readonly ConfigDocument[]): TrustedRoots[] =>
  documents
    .filter(({ kind }) => kind === "TrustedRootsConfig")
    .map(({ content }) => content as DocumentOf<"TrustedRootsConfig">)
    .map(({ name, certificates }) => ({ name, certificates }));

function hostname(documents: readonly ConfigDocument[]): HostnameChoice {
  const document = contentOf(documents, "HostnameConfig");
  const machine = contentOf(documents, V1ALPHA1)?.machine;
  const names = [document?.hostname, machine?.network?.hostname];
  const name = names.find((text) => text !== undefined && text !== "");
  if (name !== undefined) return { kind: "static", hostname: name };
  if (document?.auto === "stable" || document?.auto === "off") return { kind: document.auto };
  return { kind: machine?.features?.stableHostname === true ? "stable" : "unset" };
}
