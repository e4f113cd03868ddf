/** `simulate`: one seed, many random ones, or a trace that is there already. */
import { after, days } from "#runtime";
import {
  describeFailure,
  eventsOf,
  explain,
  replay,
  shrink,
  simulate as run,
  traceHeader,
  TraceUnreadableError,
  type Scenario,
  type Simulation,
} from "#runtime/simulation";
import { leastHorizon, scenarios, soak, summary, wholeHorizon } from "../../simulate/index.ts";
import { FileAccessError, FileExistsError, UsageError } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Io } from "../io.ts";
import { FAILURE, INTERRUPTED, OK } from "../status.ts";
import { codeVersion } from "./simulate/code-version.ts";
import { progressLine, progressOf, type ProgressLine } from "./simulate/progress.ts";
import { openTrace } from "./simulate/trace-file.ts";

/** The flags of `simulate`. */
export interface SimulateOptions {
  readonly scenario?: string;
  readonly seed?: number;
  readonly years?: number;
  readonly days?: number;
  readonly only?: readonly number[];
  readonly minutes?: number;
  readonly trace?: string;
  readonly force: boolean;
  readonly explain?: string;
  readonly replay?: string;
  readonly list: boolean;
}

/** Flags that do something else than to run one seed; at most one of them. */
const modes = ["minutes", "explain", "replay", "list"] as const;
/** What may stand beside them. */
const beside: Readonly<Record<(typeof modes)[number], readonly (keyof SimulateOptions)[]>> = {
  minutes: ["scenario", "days", "years"],
  explain: [],
  replay: [],
  list: [],
};

/** @throws {UsageError} also where a file cannot be used: status 1 says that a property is broken */
export async function simulate(io: Io, options: SimulateOptions): Promise<number> {
  checkFlags(options);
  try {
    return await chosen(io, options);
  } catch (error) {
    const signal = options.list ? undefined : io.interruption();
    if (!signal?.aborted || error !== signal.reason) throw asUsage(error);
    io.stderr.write("interrupted\n");
    return INTERRUPTED;
  }
}

const asUsage = (error: unknown): unknown =>
  [FileAccessError, FileExistsError, TraceUnreadableError].some((kind) => error instanceof kind)
    ? new UsageError((error as Error).message, { cause: error })
    : error;

async function chosen(io: Io, options: SimulateOptions): Promise<number> {
  if (options.list) return list(io);
  if (options.explain !== undefined) return explainTrace(io, options.explain);
  if (options.replay !== undefined) return replayTrace(io, options.replay);
  if (options.minutes !== undefined) return runMany(io, options, options.minutes);
  return runOne(io, options);
}

function checkFlags(options: SimulateOptions): void {
  const given = (Object.keys(options) as (keyof SimulateOptions)[]).filter(
    (name) => options[name] !== undefined && options[name] !== false,
  );
  const mode = modes.find((name) => given.includes(name));
  const other = mode && given.find((name) => name !== mode && !beside[mode].includes(name));
  if (mode && other) throw new UsageError(`--${mode} and --${other} do not go together`);
  if (options.years !== undefined && options.days !== undefined)
    throw new UsageError("--years and --days do not go together: name one");
  if (options.force && options.trace === undefined && mode === undefined)
    throw new UsageError("--force is about the file of --trace, and there is none");
}

const DEFAULT = "control-plane";
const YEARS_MAX = 50;

/** @throws {UsageError} */
function scenarioNamed(name = DEFAULT): Scenario {
  const scenario = scenarios.get(name);
  if (scenario === undefined)
    throw new UsageError(
      `there is no scenario ${JSON.stringify(name)}; there are ${[...scenarios.keys()].join(", ")}`,
    );
  return scenario;
}

function horizonOf({ years, days: some }: SimulateOptions): number | undefined {
  const length = some ?? (years === undefined ? undefined : years * 365);
  if (length !== undefined && length > YEARS_MAX * 365)
    throw new UsageError(`a simulation lasts ${String(YEARS_MAX)} years at most`);
  return length === undefined ? undefined : wholeHorizon(length);
}

/** What would look at nothing that is to be judged has proved nothing. @throws {UsageError} */
function checkExtent(
  scenario: Scenario,
  options: { readonly seed: number; readonly horizon: number; readonly only?: readonly number[] },
): void {
  const { seed, horizon } = options;
  const least = leastHorizon(scenario.name);
  if (horizon < least)
    throw new UsageError(
      `scenario ${scenario.name} is judged by what happens on its last days: simulate at least ${String(least / days(1))} days`,
    );
  const drawn = eventsOf(scenario, { seed, horizon }).length;
  const missing = options.only?.find((place) => place >= drawn);
  if (missing !== undefined)
    throw new UsageError(
      `--only: there is no event ${String(missing)}; seed ${String(seed)} draws ${drawn === 0 ? "none" : `0 to ${String(drawn - 1)}`}`,
    );
}

function list(io: Io): number {
  for (const { name, horizon, nodes } of scenarios.values()) {
    const count = nodes.length === 1 ? "1 node" : `${String(nodes.length)} nodes`;
    io.stdout.write(`${name.padEnd(16)}${count.padEnd(10)}${String(horizon / days(1))} days\n`);
  }
  return OK;
}

async function runOne(io: Io, options: SimulateOptions): Promise<number> {
  const scenario = scenarioNamed(options.scenario);
  const { horizon = scenario.horizon } = { horizon: horizonOf(options) };
  const seed = options.seed ?? Buffer.from(io.random.bytes(4)).readUInt32BE();
  checkExtent(scenario, { seed, horizon, ...(options.only && { only: options.only }) });
  const trace =
    options.trace === undefined ? undefined : openTrace(io, options.trace, options.force);
  const line = progressLine(io);
  const began = io.clock.now();
  const work = run(scenario, {
    seed,
    horizon,
    signal: io.interruption(),
    ...(options.only && { only: options.only }),
    ...(trace && { trace: trace.write }),
    onProgress: (progress) => {
      line.show(progressOf(progress, horizon));
    },
  });
  const simulation = await endingWith(work, () => {
    line.clear();
    trace?.close();
  });
  io.stderr.write(`${speed(simulation, io.clock.now() - began)}\n`);
  if (simulation.failure !== null) await tellFailure(io, scenario, simulation, line);
  io.stdout.write(`${summary(scenario, simulation)}\ntrace hash ${simulation.hash}\n`);
  return simulation.failure === null ? OK : FAILURE;
}

/** Does `end` in any case; what goes wrong there is told unless something went wrong before. */
async function endingWith<T>(work: Promise<T>, end: () => void): Promise<T> {
  let result: T;
  try {
    result = await work;
  } catch (error) {
    try {
      end();
    } catch {
      // what went wrong first is told
    }
    throw error;
  }
  end();
  return result;
}

function speed({ simulated }: Simulation, took: number): string {
  const [years, seconds] = [simulated / days(365), Math.max(took, 1) / 1000];
  return `${years.toFixed(2)} years in ${seconds.toFixed(1)} s: ${(years / seconds).toFixed(2)} years a second`;
}

/** Those of `--only` have been shrunk before. What is known already is told before it is shrunk. */
async function tellFailure(
  io: Io,
  scenario: Scenario,
  simulation: Simulation,
  line: ProgressLine,
): Promise<void> {
  if (simulation.only === undefined) {
    const all = describeFailure(scenario, simulation, codeVersion()).split("\n");
    io.stderr.write(`${all[0] ?? ""}\n${all.at(-1) ?? ""}\nshrinking it, for a minute at most\n`);
  }
  const small = simulation.only
    ? simulation
    : await shrink(scenario, simulation, {
        signal: io.interruption(),
        clock: io.clock,
        onProgress: (left, runs) => {
          line.show(`shrinking: ${String(left)} events, run ${String(runs)}`);
        },
      });
  line.clear();
  io.stdout.write(`${describeFailure(scenario, small, codeVersion())}\n`);
}

async function runMany(io: Io, options: SimulateOptions, minutes: number): Promise<number> {
  const all =
    options.scenario === undefined ? [...scenarios.values()] : [scenarioNamed(options.scenario)];
  const horizon = horizonOf(options);
  const line = progressLine(io);
  const told = ({ seeds, simulated, faults, checks }: Awaited<ReturnType<typeof soak>>) =>
    `${String(seeds)} seeds, ${(simulated / days(365)).toFixed(1)} years, ` +
    `${String(faults)} faults, ${String(checks)} properties looked at`;
  const result = await soak({
    scenarios: all,
    ...(horizon !== undefined && { horizon }),
    clock: io.clock,
    random: io.random,
    until: at(io, minutes),
    signal: io.interruption(),
    onProgress: (progress) => {
      line.show(told({ ...progress, failed: null }));
    },
  });
  line.clear();
  if (result.seeds === 0) io.interruption().throwIfAborted();
  if (result.failed !== null) {
    const { scenario, simulation } = result.failed;
    await tellFailure(io, scenario, simulation, line);
  }
  io.stdout.write(`${told(result)}, ${result.failed === null ? "all held" : "one broken"}\n`);
  return result.failed === null ? OK : FAILURE;
}

const at = ({ clock }: Io, minutes: number) => after(clock.now(), minutes * 60_000);

async function explainTrace(io: Io, file: string): Promise<number> {
  for (const line of explain(linesOf(await readInput(io, file)))) io.stdout.write(`${line}\n`);
  return OK;
}

async function replayTrace(io: Io, file: string): Promise<number> {
  const lines = linesOf(await readInput(io, file));
  const scenario = scenarioNamed(traceHeader(lines[0]).scenario);
  const { simulation, difference } = await replay(scenario, lines, {
    signal: io.interruption(),
  });
  if (difference !== null) {
    const { line, before, now } = difference;
    io.stdout.write(
      `line ${String(line)} is different\nbefore: ${before ?? "the end"}\nnow:    ${now ?? "the end"}\n`,
    );
  }
  io.stdout.write(`trace hash ${simulation.hash}\n`);
  return difference === null && simulation.failure === null ? OK : FAILURE;
}

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");
