import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * What the Go tests are to examine; `artifacts.go` has the other half of this shape. Paths are relative
 * to the directory of the artifacts.
 */
export interface Manifest {
  /** Nothing here was made by trustplane, only by talosctl. */
  readonly fixtures: boolean;
  readonly bundles: Bundle[];
  readonly configs: Config[];
  readonly talosconfigs: Talosconfig[];
  readonly nodes: Node[];
  /** The directory in which `gen ca|key|csr|crt|keypair` ran; empty when they did not. */
  generated: string;
}

/** A secrets bundle. */
export interface Bundle {
  readonly name: string;
  readonly file: string;
  /** The Kubernetes PKI that was imported. */
  readonly kubernetesPki?: string;
  /** The machine configuration that it was made from. */
  readonly controlPlaneConfig?: string;
  readonly byTalos?: boolean;
}

/** A machine configuration and the bundle that is in it. */
export interface Config {
  readonly name: string;
  readonly file: string;
  readonly type: "controlplane" | "worker";
  readonly bundle: string;
}

/** A talosconfig, and what must stand in its current context. */
export interface Talosconfig {
  readonly name: string;
  readonly file: string;
  readonly bundle: string;
  readonly roles: readonly string[];
  readonly endpoints: readonly string[];
  readonly nodes: readonly string[];
  readonly byTalos?: boolean;
}

/** A node that has written its PKI directory. */
export interface Node {
  readonly name: string;
  readonly config: string;
  readonly pki: string;
  readonly talosconfig: string;
  readonly address: string;
  /** Empty where the node was left to find its own. */
  readonly hostname: string;
}

export function emptyManifest(fixtures: boolean): Manifest {
  return { fixtures, bundles: [], configs: [], talosconfigs: [], nodes: [], generated: "" };
}

/** Writes the manifest where the Go tests look for it. */
export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest, undefined, 2));
}
