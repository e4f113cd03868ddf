/** `gen config`: machine configurations and a talosconfig (talos-pki.md §3.5). */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  checkClusterChoices,
  generateMachineConfigs,
  issueTalosconfig,
  loadBundle,
  writeTalosconfig,
  type SecretsBundle,
} from "#config";
import { leafIssuer } from "#pki";
import { UsageError, wrongUsage } from "../../errors.ts";
import { readInput, refuseExisting, STREAM, writeOutputs } from "../../files.ts";
import type { Io } from "../../io.ts";
import { warn } from "../../terminal.ts";
import { newBundle, sourcesOf } from "./secrets.ts";

/** The flags of `gen config`. */
export interface GenConfigFlags {
  readonly withSecrets?: string;
  readonly outputTypes?: readonly OutputType[];
  readonly additionalSans?: readonly string[];
  readonly talosVersion: string;
  readonly kubernetesVersion?: string;
  readonly installDisk: string;
  readonly dnsDomain: string;
  readonly output?: string;
  /** Warnings are errors. */
  readonly strict: boolean;
}

/** Something that `gen config` writes. */
export type OutputType = "controlplane" | "worker" | "talosconfig";

const FILE_NAMES: Readonly<Record<OutputType, string>> = {
  controlplane: "controlplane.yaml",
  worker: "worker.yaml",
  talosconfig: "talosconfig",
};

type Request = GenConfigFlags & {
  readonly name: string;
  readonly endpoint: string;
  readonly force: boolean;
};

/** Makes the files of a cluster, all or none. */
export async function genConfig(io: Io, request: Request): Promise<number> {
  if (request.name.includes("://") && !request.endpoint.includes("://"))
    throw new UsageError(
      `${JSON.stringify(request.name)} is an endpoint: NAME first, then ENDPOINT, as in ` +
        `trustplane gen config ${request.endpoint} ${request.name}`,
    );
  wrongUsage(() => {
    checkClusterChoices({ ...request, clusterName: request.name });
  });
  const types = request.outputTypes ?? (Object.keys(FILE_NAMES) as OutputType[]);
  const paths = await pathsOf(io, types, request.output);
  await refuseExisting(io, [...paths.values()], request.force);
  const text = contents(io, request, await bundleOf(io, request));
  const files = await Promise.all(
    [...paths].map(async ([type, path]) => ({ path, content: await text[type]() })),
  );
  await writeOutputs(io, files, request.force);
  return 0;
}

async function pathsOf(
  io: Io,
  types: readonly OutputType[],
  output: string | undefined,
): Promise<Map<OutputType, string>> {
  const [only] = types;
  if (types.length !== 1 && output === STREAM)
    throw new UsageError("the standard output takes one type: name it with --output-types");
  if (only !== undefined && types.length === 1 && output !== undefined)
    if (output === STREAM || !(await isDirectory(io, output))) return new Map([[only, output]]);
  return new Map(types.map((type) => [type, join(output ?? "", FILE_NAMES[type])]));
}

const isDirectory = (io: Io, path: string): Promise<boolean> =>
  stat(resolve(io.cwd, path)).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function bundleOf(io: Io, request: Request): Promise<SecretsBundle> {
  const { withSecrets, talosVersion, strict } = request;
  const sources = sourcesOf(io, talosVersion);
  if (withSecrets === undefined) {
    io.stderr.write("generating PKI and tokens\n");
    return newBundle(io, sources);
  }
  const text = await readInput(io, withSecrets);
  const { bundle, warnings } = await loadBundle(text, { ...sources, source: withSecrets, strict });
  warn(io, warnings);
  return bundle;
}

/** The text of each type, made when it is asked for. */
function contents(io: Io, request: Request, bundle: SecretsBundle) {
  const { name, endpoint, talosVersion, installDisk, dnsDomain, kubernetesVersion } = request;
  const { controlplane, worker } = generateMachineConfigs({
    clusterName: name,
    endpoint,
    bundle,
    talosVersion,
    installDisk,
    dnsDomain,
    additionalSans: request.additionalSans ?? [],
    ...(kubernetesVersion !== undefined && { kubernetesVersion }),
  });
  return {
    controlplane: async () => controlplane,
    worker: async () => worker,
    talosconfig: async () => {
      const { keys, random, now } = sourcesOf(io, talosVersion);
      const talosconfig = await issueTalosconfig({
        authority: bundle.certs.os,
        acceptedCAs: [],
        contextName: name,
        roles: ["os:admin"],
        endpoints: [],
        nodes: [],
        now,
        issueLeaf: leafIssuer({ keys, random }),
      });
      return writeTalosconfig(talosconfig);
    },
  };
}
