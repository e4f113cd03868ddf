/** A control plane in memory: every controller of a node, the demo cluster, a clock that stands still. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeControllers } from "../../src/apps/node/controllers.ts";
import { loadMachineConfig } from "#config";
import { readCertificate, webCryptoKeys } from "#pki";
import { ACTIVE, Identity, MachineConfig } from "#resources";
import { after, at, type Instant, systemRandom } from "#runtime";
import { mount } from "#runtime/testing";

const fixture = (name: string) =>
  readFileSync(join(import.meta.dirname, "../fixtures/talos-demo", name), "utf8");

/** The demo control plane's configuration, made by talosctl. */
export const controlPlaneConfig = fixture("controlplane.yaml");
/** The demo worker's configuration, made by talosctl. */
export const workerConfig = fixture("worker.yaml");

/** Within the life of the demo's roots, which end in 2036. */
export const START: Instant = at("2027-03-01T12:00:00Z");

/** The instant that lies so far before the end of the demo's Talos API root. */
export function beforeRootsEnd(duration: number): Instant {
  const root = loadMachineConfig(controlPlaneConfig).osRoot().issuingCA;
  return after(readCertificate(root?.crt ?? "").notAfter, -duration);
}

/** Mounts a node; `files` fills with what it publishes: directory → name → contents. */
export async function mountNode(
  options: {
    readonly config?: string;
    readonly apiAddress?: string;
    readonly interfaceAddresses?: readonly string[];
    readonly now?: Instant;
    /** Whether the clock is synced; change it between calls. */
    readonly time?: { synced: boolean };
  } = {},
) {
  const files: Record<string, Readonly<Record<string, string>>> = {};
  const published: { directory: string; files: Readonly<Record<string, string>> }[] = [];
  const time = options.time ?? { synced: true };
  const t = await mount(
    nodeControllers({
      keys: webCryptoKeys(),
      random: systemRandom,
      apiAddress: options.apiAddress ?? "127.0.0.1",
      hostname: "cp-1.example.test",
      askTime: () =>
        Promise.resolve({ synced: time.synced, source: time.synced ? "none" : "test" }),
      publishFiles: (directory, set) => {
        files[directory] = set;
        published.push({ directory, files: set });
        return Promise.resolve({ path: directory, version: JSON.stringify(set).length.toString() });
      },
      ...(options.interfaceAddresses && {
        interfaceAddresses: () => options.interfaceAddresses ?? [],
      }),
    }),
    { now: options.now ?? START },
  );
  await t.create(Identity, "local", { nodeId: "abcdefghijkl" });
  await t.create(MachineConfig, ACTIVE, { yaml: options.config ?? controlPlaneConfig });
  return { ...t, t, files, published, time };
}
