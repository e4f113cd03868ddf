/** A control plane as `trustplane up` runs it, for talosctl to call. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateMachineConfigs, issueBundle } from "#config";
import { type KeyedPem, webCryptoKeys } from "#pki";
import { systemClock, systemRandom } from "#runtime";
import { runNode } from "../../../../src/apps/node/index.ts";
import { freePort } from "../../cli/listening-node.ts";
import { issueClient } from "../running-node.ts";
import { dial, type Dial, type Generation, type Talosctl } from "./talosctl.ts";

/** The address, and the name that callers have for it. */
export const NODE = "127.0.0.1";

/** What a file of tests has of it. */
export interface ControlPlane extends AsyncDisposable {
  readonly port: number;
  /** The authority of its API. */
  readonly root: KeyedPem;
  /** The configuration that it was started with. */
  readonly configuration: string;
  /** Connects somebody with these roles; by default an administrator. */
  readonly dial: (roles?: readonly string[], more?: Partial<Dial>) => Promise<Talosctl>;
  /** Waits until it serves the next time. */
  readonly servesAgain: () => Promise<void>;
  /** Ends well when the node has been told to stop. */
  readonly ended: Promise<number>;
}

/** Starts one, and waits until it serves. */
export async function startControlPlane(): Promise<ControlPlane> {
  const stateDir = await mkdtemp(join(tmpdir(), "trustplane-wire-"));
  const [keys, random, now] = [webCryptoKeys(), systemRandom, systemClock.now()];
  const bundle = await issueBundle({ talosVersion: "v1.13", keys, random, now });
  const endpoint = `https://${NODE}:6443`;
  const cluster = { clusterName: "wire", endpoint, bundle, talosVersion: "v1.13" } as const;
  const configuration = generateMachineConfigs(cluster).controlplane;
  const file = join(stateDir, "controlplane.yaml");
  await writeFile(file, configuration);
  const port = await freePort();
  const stop = new AbortController();
  let serving = Promise.withResolvers<undefined>();
  const ended = runNode(
    {
      ...{ stateDir: join(stateDir, "state"), configFiles: [file], configOverwrite: false },
      ...{ apiAddress: NODE, apiPort: port, timeSource: "none", adopt: false },
    },
    {
      stdout: () => serving.resolve(undefined), // what it holds is told when it serves
      stderr: () => undefined,
      stderrIsTerminal: false,
      signal: stop.signal,
    },
  );
  ended.catch((error: unknown) => serving.reject(error as Error));
  await serving.promise;
  const root = bundle.certs.os;
  return {
    ...{ port, root, configuration, ended },
    async servesAgain() {
      serving = Promise.withResolvers<undefined>();
      await serving.promise;
    },
    dial: async (roles, more) =>
      dial({ host: NODE, port, ca: root.crt, identity: await issueClient(root, roles), ...more }),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("the tests are over"));
      await Promise.allSettled([ended]);
      await rm(stateDir, { recursive: true });
    },
  };
}

/** How a generation of talosctl names the node. */
export const to = (generation: Generation, node = NODE) => ({ [generation]: node });

/** What a message says of its node: its name where the caller merges nothing, else nothing at all. */
export const from = (generation: Generation, node = NODE) =>
  generation === "nodes" ? { hostname: node, error: "", status: undefined } : undefined;
