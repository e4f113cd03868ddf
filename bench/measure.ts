/** One measurement: a process for the workload, and one for the server where there is one. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { launcher, oursMain } from "./checkout.ts";
import { apiServer, pinned, prepareApi, readPlace } from "./api.ts";
import { answers, runToEnd, withServer, type Program } from "./child.ts";
import type { Measure } from "./harness.ts";
import { nodeOnPath } from "./installed.ts";
import { fullName, type MeasuredRow, type Side } from "./row.ts";
import type { Task } from "./size.ts";
import { prepareTrustd } from "./trustd.ts";

export interface Means {
  /** Go's side, where there is one. */
  readonly go?: string;
  /** The launcher of the package as installed, where it is needed. */
  readonly installed?: string;
  /** Where each measurement gets a directory of its own. */
  readonly directory: string;
  /** Where CPU profiles of our side go. */
  readonly profiles?: string;
  readonly signal: AbortSignal;
}

/** A million resources are more than a heap has by default. */
const HEAP_MB = 8192;

export const measureWith =
  (means: Means): Measure =>
  async (side, row, size) => {
    const directory = await mkdtemp(join(means.directory, "m-"));
    try {
      const task: Task = { ...size, directory, ...programOf(row, means) };
      if (size.store === "api") return await measureApi(side, row, task, means);
      if (size.store === "trustd") return await measureTrustd(side, row, task, means);
      if (size.store !== "remote")
        return await valueOf(workload(side, row, task, means), means.signal);
      const socket = join(directory, "s");
      const address = `unix:${socket}`;
      // The client is Go's for both servers; ours takes its place where there is no Go.
      const client = means.go === undefined ? "ours" : "go";
      const { profiles: _, ...withoutProfile } = means; // what counts here is the server's
      const called = workload(client, row, { ...task, address }, withoutProfile);
      return await withServer(
        server(side, row, address, means),
        () => answers(socket),
        means.signal,
        () => valueOf(called, means.signal),
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };

/** A node, or what Go has in its place, on one core, and who asks it on another one. */
async function measureApi(side: Side, row: MeasuredRow, task: Task, means: Means) {
  const { signal, profiles: _, ...rest } = means;
  const { directory = "" } = task;
  await prepareApi(directory);
  const ask = async () => {
    const place = await readPlace(directory);
    // The command line is ours; for all else the client is Go's for both servers, where there is one.
    const client = means.go === undefined || task.program !== undefined ? "ours" : "go";
    const called = workload(client, row, { ...task, ...place }, { ...rest, signal });
    return valueOf(task.program === undefined ? await pinned(called, "client") : called, signal);
  };
  const program = side === "go" ? { file: goOf(means), args: ["serve-api"] } : apiServer;
  const { args } = program;
  const env = { ...nodeOnPath(), ...(side === "ours" && profileOfAll(row, means)) };
  const server = await pinned({ ...program, args: [...args, JSON.stringify(task)], env }, "server");
  const isUp = async () => (await readPlace(directory)) !== undefined;
  return withServer(server, isUp, signal, ask);
}

/** The same for trustd; who asks is ours for both. */
async function measureTrustd(side: Side, row: MeasuredRow, task: Task, means: Means) {
  const { signal, profiles: _, ...rest } = means;
  const { program, address, isUp } = await prepareTrustd(task.directory ?? "");
  const place = { ...task, address };
  const served: Program =
    side === "ours"
      ? { ...program, env: profileOfAll(row, means) }
      : { file: goOf(means), args: ["serve-trustd", JSON.stringify(place)] };
  const called = workload("ours", row, place, { ...rest, signal });
  return withServer(await pinned(served, "server"), isUp, signal, async () =>
    valueOf(await pinned(called, "client"), signal),
  );
}

function programOf({ program }: MeasuredRow, { installed = "" }: Means): Pick<Task, "program"> {
  if (program === undefined) return {};
  return { program: program === "checkout" ? launcher : installed };
}

async function valueOf(program: Program, signal: AbortSignal): Promise<number> {
  const { value } = JSON.parse(await runToEnd(program, signal)) as { value?: unknown };
  if (typeof value !== "number" || !(value > 0)) throw new Error(`measured ${String(value)}`);
  return value;
}

function workload(side: Side, row: MeasuredRow, task: Task, means: Means): Program {
  const args = [row.workload, JSON.stringify(task)];
  if (side === "go") return { file: goOf(means), args };
  return {
    file: process.execPath,
    args: [
      ...["--expose-gc", `--max-old-space-size=${HEAP_MB}`, "--conditions=trustplane-src"],
      ...["--disable-warning=ExperimentalWarning", oursMain, ...args],
    ],
    env: { ...nodeOnPath(), ...profileOfPart(row, means) },
  };
}

function server(side: Side, row: MeasuredRow, address: string, means: Means): Program {
  if (side === "go") return { file: goOf(means), args: ["serve", address] };
  return {
    file: launcher,
    args: ["store", "serve", "--store", "memory", "--listen", address],
    env: profileOfAll(row, means),
  };
}

function goOf({ go }: Means): string {
  if (go === undefined) throw new TypeError("there is no Go side");
  return go;
}

/** The file that has the CPU profile of a row, the last of it. */
export const profileName = (row: MeasuredRow) =>
  `${fullName(row).replaceAll(/[^\w.]+/g, "-")}.cpuprofile`;

/** Of the timed part alone. */
const profileOfPart = (row: MeasuredRow, { profiles }: Means): NodeJS.ProcessEnv =>
  profiles === undefined ? {} : { TRUSTPLANE_BENCH_PROFILE: join(profiles, profileName(row)) };

/** Of all that a server does. */
const profileOfAll = (row: MeasuredRow, { profiles }: Means): NodeJS.ProcessEnv =>
  profiles === undefined
    ? {}
    : {
        NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles} --cpu-prof-name=${profileName(row)}`,
      };
