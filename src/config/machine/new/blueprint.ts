/** What new configurations are made from, and what is settled before any line is written. */
import type { SecretsBundle } from "../../bundle/bundle.ts";
import { certSanProblem, isClusterDomain } from "../../cert-san.ts";
import { endpointProblem } from "../../endpoint.ts";
import {
  CertSanError,
  ClusterNameError,
  DnsDomainError,
  EndpointError,
  KubernetesVersionError,
} from "../../errors.ts";
import { DEFAULT_TALOS_VERSION, readTalosVersion, type TalosVersion } from "../../talos-version.ts";

/** What new configurations are made from. */
export interface MachineConfigSources {
  readonly clusterName: string;
  /** https URL by which the Kubernetes API is reached. */
  readonly endpoint: string;
  readonly bundle: SecretsBundle;
  /** For the certificates of all machines, and of the API server. */
  readonly additionalSans?: readonly string[];
  /** `v1.13` where absent. */
  readonly talosVersion?: string;
  /** `/dev/sda` where absent; empty for none. */
  readonly installDisk?: string;
  /** The installer of the Talos version where absent. */
  readonly installImage?: string;
  /** `1.36.2` where absent; a `v` before it does no harm. */
  readonly kubernetesVersion?: string;
  /** `cluster.local` where absent. */
  readonly dnsDomain?: string;
  /** Machines find each other by Talos' discovery service; true where absent. */
  readonly clusterDiscovery?: boolean;
}

/** The same, with every choice made. */
export interface Blueprint extends Required<Omit<MachineConfigSources, "talosVersion">> {
  readonly version: TalosVersion;
  /** Host of the endpoint. */
  readonly host: string;
}

/** The version of Kubernetes that Talos 1.13.5 brings. */
const KUBERNETES_VERSION = "1.36.2";
/** The last releases that this project knows of; of others, the first. */
const RELEASES: Readonly<Record<string, string>> = { "1.13": "v1.13.5" };

/** What a person chooses of a cluster. */
export type ClusterChoices = Pick<
  MachineConfigSources,
  "clusterName" | "endpoint" | "additionalSans" | "talosVersion" | "kubernetesVersion" | "dnsDomain"
>;

/**
 * Checks what a person chooses of a cluster, before anything is made of it.
 *
 * @throws {ClusterNameError} {@link EndpointError} {@link CertSanError} {@link TalosVersionError}
 *   {@link KubernetesVersionError} {@link DnsDomainError}
 */
export function checkClusterChoices(choices: ClusterChoices): void {
  const { clusterName, endpoint, additionalSans = [], kubernetesVersion, dnsDomain } = choices;
  if (clusterName.trim() === "") throw new ClusterNameError("the name of the cluster is empty");
  readTalosVersion(choices.talosVersion ?? DEFAULT_TALOS_VERSION);
  const problem = endpointProblem(endpoint);
  if (problem !== undefined) throw new EndpointError(endpointMessage(endpoint, problem));
  for (const san of additionalSans) {
    const fault = certSanProblem(san);
    if (fault !== undefined) throw new CertSanError(`additional SANs: ${fault}`);
  }
  if (kubernetesVersion !== undefined && !versionForm.test(kubernetesVersion))
    throw new KubernetesVersionError(
      `${JSON.stringify(kubernetesVersion)} is not a version of Kubernetes: write it as ${KUBERNETES_VERSION}`,
    );
  if (dnsDomain !== undefined && !isClusterDomain(dnsDomain))
    throw new DnsDomainError(
      `${JSON.stringify(dnsDomain)} is not a DNS domain; write it as cluster.local`,
    );
}

const versionForm = /^v?\d+\.\d+\.\d+(?:-[0-9a-z.-]+)?$/i;

/**
 * Settles what is left open.
 *
 * @throws as {@link checkClusterChoices}
 */
export function blueprintOf(sources: MachineConfigSources): Blueprint {
  const { talosVersion = DEFAULT_TALOS_VERSION, additionalSans = [], endpoint } = sources;
  checkClusterChoices(sources);
  const version = readTalosVersion(talosVersion);
  return {
    installDisk: "/dev/sda",
    installImage: `ghcr.io/siderolabs/installer:${releaseOf(talosVersion, version)}`,
    dnsDomain: "cluster.local",
    clusterDiscovery: true,
    ...defined(sources),
    kubernetesVersion: (sources.kubernetesVersion ?? KUBERNETES_VERSION).replace(/^v/i, ""),
    additionalSans,
    version,
    host: new URL(endpoint).hostname.replace(/^\[(.*)\]$/, "$1"),
  };
}

/** Leaves out what is undefined, so that it does not cover what stands before it. */
const defined = <T extends object>(map: T): T =>
  Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined)) as T;

function endpointMessage(text: string, problem: string): string {
  const host =
    text
      .replace(/^[a-z]+:\/\//i, "")
      .replace(/^[^/]*@/, "")
      .split("/")[0] ?? "";
  const named = /:\d+$/.test(host) ? host : `${host || "HOST"}:6443`;
  return `the endpoint of a cluster is an https URL, and of this one ${problem}; try https://${named}`;
}

function releaseOf(text: string, { major, minor }: TalosVersion): string {
  if (/^v\d+\.\d+\.\d/.test(text)) return text;
  return RELEASES[`${major}.${minor}`] ?? `v${major}.${minor}.0`;
}
