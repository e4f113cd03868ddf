/**
 * `npm run simulate:mutants`: plants one bug after the other and lets the simulator look for it. The tree
 * is never changed: each bug is planted while a child process loads the file.
 *
 * Ends with 0 only when all are caught, and the same seeds hold where nothing is planted: 1 otherwise, 2
 * where nothing was looked for. `--write` puts the table into docs/simulation.md, `--only TEXT` runs those
 * whose name has the text in it.
 */
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mutants, type Mutant } from "./mutants.ts";

const SEEDS = 12;
const DAYS = 30;
/** A child that takes longer hangs, and is no proof. */
const PATIENCE_MS = 240_000;
const DOC = fileURLToPath(new URL("../../docs/simulation.md", import.meta.url));

interface Hunt {
  readonly mutant: Mutant;
  /** Null: it survived. */
  readonly seed: number | null;
  readonly property: string;
  readonly problem: string;
  readonly seconds: number;
}

type Baseline = Required<Pick<Mutant, "name" | "scenario" | "days">> & { readonly seeds: number };

const survived = { property: "", problem: "" };
const { values } = parseArgs({
  options: { write: { type: "boolean", default: false }, only: { type: "string", default: "" } },
});
const began = performance.now();
const chosen = mutants.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) {
  console.error(`no planted bug has ${JSON.stringify(values.only)} in its name`);
  process.exit(2);
}
const COUNT = Math.min(2, availableParallelism());
const hunts = await inParallel(chosen, COUNT, hunt);
const broken = (await inParallel(baselines(hunts), COUNT, unplanted)).filter((holds) => !holds);
const survivors = hunts.filter(({ seed }) => seed === null);
if (values.write) await writeTable(hunts);
const took = ((performance.now() - began) / 1000).toFixed(0);
for (const { mutant, property } of survivors)
  console.log(`SURVIVED: ${mutant.name} (${mutant.scenario})${property && `: ${property}`}`);
console.log(`${hunts.length - survivors.length} of ${hunts.length} mutants caught in ${took} s`);
process.exitCode = survivors.length === 0 && broken.length === 0 ? 0 : 1;

/** Each scenario that caught something, with as many seeds as that took at most. */
function baselines(all: readonly Hunt[]): readonly Baseline[] {
  const found = new Map<string, Baseline>();
  for (const { mutant, seed } of all) {
    const { scenario, days = DAYS } = mutant;
    const key = `${scenario} ${days}`;
    const seeds = Math.max(found.get(key)?.seeds ?? 1, seed ?? 1);
    found.set(key, { name: "", scenario, days, seeds });
  }
  return [...found.values()];
}

/** Whether it holds where nothing is planted; else it would catch anything. */
async function unplanted(baseline: Baseline): Promise<boolean> {
  const { scenario, days, seeds } = baseline;
  const { seed, property } = await child(baseline, seeds);
  const holds = seed === null && property === "";
  const how = holds ? "holds" : `BROKEN${seed === null ? "" : ` in seed ${seed}`}: ${property}`;
  console.log(`nothing planted (${scenario}, ${days} days, seeds 1 to ${seeds}): ${how}`);
  return holds;
}

async function hunt(mutant: Mutant): Promise<Hunt> {
  const found = { mutant, ...(await child(mutant)) };
  const { seed, seconds, property } = found;
  const how =
    seed === null ? "SURVIVED" : `caught by seed ${seed}, ${seconds.toFixed(1)} s: ${property}`;
  console.log(`${mutant.name} (${mutant.scenario}): ${how}`);
  return found;
}

function child(
  { name, scenario, days = DAYS }: Pick<Mutant, "name" | "scenario" | "days">,
  seeds = SEEDS,
): Promise<Omit<Hunt, "mutant">> {
  const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const hunting = spawn(
    process.execPath,
    [
      ...["--conditions=trustplane-src", "--disable-warning=ExperimentalWarning"],
      ...["--import", file("./plant.ts"), file("./hunt.ts")],
      ...[scenario, String(days), String(seeds)],
    ],
    {
      env: { ...process.env, MUTANT: name },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PATIENCE_MS,
    },
  );
  let [output, errors] = ["", ""];
  hunting.stdout.on("data", (text: Buffer) => (output += text.toString()));
  hunting.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  return new Promise((resolve) => {
    hunting.on("close", (code) => {
      if (code === 0) resolve({ ...survived, ...(JSON.parse(output) as Omit<Hunt, "mutant">) });
      else
        resolve({
          seed: null,
          property: `the run itself failed: ${errors.slice(0, 500)}`,
          problem: "",
          seconds: 0,
        });
    });
  });
}

async function inParallel<T, R>(
  list: readonly T[],
  count: number,
  work: (one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = list.entries();
  const worker = async () => {
    for (const [place, one] of waiting) results[place] = await work(one);
  };
  await Promise.all(Array.from({ length: count }, worker));
  return results;
}

async function writeTable(all: readonly Hunt[]): Promise<void> {
  const rows = all.map(
    ({ mutant, seed, property, seconds }) =>
      `| ${mutant.name} | ${mutant.scenario} | ${seed === null ? "**survived**" : property} | ${seed ?? ""} | ${seconds.toFixed(1)} |`,
  );
  const table = [
    "| planted bug | scenario | caught by | seeds | seconds |",
    "|---|---|---|---|---|",
    ...rows,
  ];
  const text = await readFile(DOC, "utf8");
  const marks = /(<!-- mutants:begin -->\n)[^]*?(<!-- mutants:end -->)/;
  if (!marks.test(text)) throw new Error("docs/simulation.md has no place for the table");
  await writeFile(
    DOC,
    text.replace(
      marks,
      (_, begin: string, end: string) => `${begin}\n${table.join("\n")}\n\n${end}`,
    ),
  );
}
