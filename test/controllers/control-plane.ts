/** A control plane in memory: every controller of a node, the demo cluster, a clock that stands still. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeControllers } from "../../src/apps/node/controllers.ts";
import { loadMachineConfig } from "#config";
import type { AskCertificate } from "#controllers";
import { readCertificate, type PolicyInForce, webCryptoKeys } from "#pki";
import { ACTIVE, Identity, kinds, MachineConfig } from "#resources";
import {
  after,
  at,
  type Clock,
  type Instant,
  manualClock,
  type Resource,
  type ResourceType,
  systemRandom,
} from "#runtime";
import { createEngine } from "#runtime/engine";
import { openMemoryStore, type Store } from "#runtime/store";
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

interface NodeOptions {
  readonly config?: string;
  readonly apiAddress?: string;
  readonly interfaceAddresses?: readonly string[];
  readonly now?: Instant;
  /** What may be issued. */
  readonly policy?: PolicyInForce;
  /** How a worker gets its certificates; default from nobody. */
  readonly askCertificate?: AskCertificate;
  /** Whether the clock is synced; change it between calls. */
  readonly time?: { synced: boolean };
}

type StepClock = Pick<Clock, "onStep">;

type Files = Readonly<Record<string, string>>;

/** Every controller of a node; `files` fills with what it publishes: directory → name → contents. */
function controlPlane(options: NodeOptions) {
  const files: Record<string, Files> = {};
  const published: { directory: string; files: Files }[] = [];
  const time = options.time ?? { synced: true };
  const controllers = (clock: StepClock) =>
    nodeControllers({
      clock,
      keys: webCryptoKeys(),
      random: systemRandom,
      ...(options.policy && { policy: options.policy }),
      apiAddress: options.apiAddress ?? "127.0.0.1",
      hostname: "cp-1.example.test",
      askTime: () =>
        Promise.resolve({ synced: time.synced, source: time.synced ? "none" : "test" }),
      publishFiles: (directory, set) => {
        files[directory] = set;
        published.push({ directory, files: set });
        return Promise.resolve({ path: directory, version: JSON.stringify(set).length.toString() });
      },
      ...(options.askCertificate && { askCertificate: options.askCertificate }),
      ...(options.interfaceAddresses && {
        interfaceAddresses: () => options.interfaceAddresses ?? [],
      }),
    });
  return { controllers, files, published, time };
}

/** Mounts a node on an empty store. */
export async function mountNode(options: NodeOptions = {}) {
  const { controllers, ...seen } = controlPlane(options);
  const t = await mount(controllers, { now: options.now ?? START });
  await t.create(Identity, "local", { nodeId: "abcdefghijkl" });
  await t.create(MachineConfig, ACTIVE, { yaml: options.config ?? controlPlaneConfig });
  return { ...t, t, ...seen };
}

/** What a node has stored of its own kinds, whoever wrote it. */
export async function storedBy({ store }: { readonly store: Store }): Promise<Resource[]> {
  const lists = await Promise.all(kinds.map((kind) => store.list(kind)));
  return lists.flat();
}

/** Starts a node on stored state, as after a restart. */
export async function startOn(resources: readonly Resource[], options: NodeOptions = {}) {
  const { controllers, ...seen } = controlPlane(options);
  const clock = manualClock(options.now ?? START);
  const store = openMemoryStore({ clock });
  for (const { metadata, spec } of resources) {
    const kind = kinds.find(({ type }) => type === metadata.type) as ResourceType<unknown>;
    const { owner, labels, annotations } = metadata;
    await store.create(kind, metadata.id, spec, { owner, labels, annotations });
  }
  const engine = createEngine({
    store,
    clock,
    random: systemRandom,
    controllers: controllers(clock),
  });
  await engine.start();
  await engine.settled();
  return {
    ...seen,
    store,
    clock,
    settled: () => engine.settled(),
    async [Symbol.asyncDispose]() {
      await engine.stop();
      await store.close();
    },
  };
}
