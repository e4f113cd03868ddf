/**
 * `npm run bench`: measures ours and Go's side by side and prints one table.
 *
 *   node --conditions=trustplane-src bench/run.ts [--json FILE] [--ours] [--quick]
 *     [--markdown] [--only TEXT] [--rounds N] [--profile DIRECTORY]
 *
 * `--ours` leaves Go out; `--quick` is one round of less; `--markdown` prints the table as
 * docs/benchmarks.md has it; `--only` takes the rows whose name has the text in it; `--profile` writes
 * CPU profiles of our side and tells where their time goes. The exit status is 0 whether or not
 * targets are reached, and 1 when something could not be measured.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fairness } from "./fairness.ts";
import { buildGoSide, type GoSide } from "./go-side.ts";
import { run, type Outcome } from "./harness.ts";
import { installPackage } from "./installed.ts";
import { measureWith, profileName } from "./measure.ts";
import { hottest } from "./profile.ts";
import { jsonRow, resultsOf, type Result } from "./results.ts";
import { fullName, type Group } from "./row.ts";
import { groups } from "./rows.ts";
import { markdown, remarksOf, table } from "./table.ts";

const ROUNDS = 5;
/** On a slow machine there are fewer rounds, unless so many are asked for. */
const TOTAL_MS_MAX = 23 * 60_000;

const { values: flags } = parseArgs({
  options: {
    json: { type: "string" },
    ours: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    rounds: { type: "string" },
    profile: { type: "string" },
  },
});

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => interrupted.abort(new Error(name)));

const started = performance.now();
const directory = await mkdtemp(join(tmpdir(), "trustplane-bench-"));
try {
  process.exitCode = await bench(directory, interrupted.signal);
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  process.exitCode = 130;
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function bench(directory: string, signal: AbortSignal): Promise<number> {
  const wanted = chosen(flags.only);
  const rounds = roundsOf(flags.rounds);
  const side: GoSide = flags.ours
    ? { missing: "--ours was given" }
    : await buildGoSide(directory, signal);
  const go = "program" in side ? side.program : undefined;
  if ("missing" in side) console.log(`Ours alone: ${side.missing}.\n`);
  console.log(await fairness("version" in side ? side.version : "without Go", directory));

  const profiles = flags.profile === undefined ? undefined : resolve(flags.profile);
  if (profiles !== undefined) await mkdir(profiles, { recursive: true });
  const isInstalledNeeded = wanted.some(({ rows }) =>
    rows.some(({ program }) => program === "installed"),
  );
  const installed = isInstalledNeeded ? await installPackage(directory, signal) : undefined;
  const measure = measureWith({
    ...{ directory, signal },
    ...(go !== undefined && { go }),
    ...(installed !== undefined && { installed }),
    ...(profiles !== undefined && { profiles }),
  });
  const outcome = await run({
    ...{ groups: wanted, rounds, isQuick: flags.quick, withGo: go !== undefined, measure, signal },
    ...(flags.rounds === undefined && {
      end: { at: started + TOTAL_MS_MAX, now: () => performance.now() },
    }),
    progress,
  });
  clearProgress();
  const results = [...outcome.measured].flatMap(([group, measured]) => resultsOf(group, measured));
  await report(results, outcome, profiles);
  return outcome.failures > 0 ? 1 : 0;
}

async function report(results: readonly Result[], outcome: Outcome, profiles?: string) {
  console.log(`\n${flags.markdown ? markdown(results) : table(results)}`);
  const remarks = remarksOf(results);
  if (remarks.length > 0) console.log(`\n${remarks.join("\n")}`);
  console.log(`\n${Math.round((performance.now() - started) / 1000)} s`);
  if (flags.json !== undefined)
    await writeFile(flags.json, `${JSON.stringify(results.map(jsonRow), undefined, 2)}\n`);
  if (profiles === undefined) return;
  for (const { row } of [...outcome.measured.values()].flat()) {
    const profile = join(profiles, profileName(row)); // not every workload has a part that is timed
    if (existsSync(profile)) console.log(`\n${fullName(row)}\n${await hottest(profile)}`);
  }
}

function chosen(text: string): readonly Group[] {
  const found = groups
    .map((group) => ({ ...group, rows: group.rows.filter((row) => fullName(row).includes(text)) }))
    .filter(({ rows }) => rows.length > 0);
  if (found.length === 0) throw new TypeError(`no row has ${JSON.stringify(text)} in its name`);
  return found;
}

function roundsOf(text: string | undefined): number {
  if (text === undefined) return flags.quick ? 1 : ROUNDS;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds ${text} is not a number of rounds`);
  return rounds;
}

/** On a terminal one line that changes, elsewhere nothing: the table is what counts. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
}
