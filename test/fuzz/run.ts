/**
 * `npm run fuzz:csr`: certificate requests that are spoilt in all ways, put to what signs for nodes.
 *
 *   npm run fuzz:csr -- [--count N] [--seed S] [--round R]
 *
 * A failure names seed and round; `--round` runs that one alone. The exit status is 0 when all rounds
 * ended in a certificate that may be or in a refusal, and 1 else.
 */
import { parseArgs } from "node:util";
import { fuzzCsrs } from "./csr.ts";

const COUNT = "1000000";

const { values: flags } = parseArgs({
  options: {
    count: { type: "string", default: COUNT },
    seed: { type: "string", default: "7" },
    round: { type: "string" },
  },
});

const started = performance.now();
const { rounds, tallies, codes, judged, grown } = await fuzzCsrs({
  seed: numberOf(flags.seed, "--seed"),
  count: numberOf(flags.count, "--count"),
  ...(flags.round !== undefined && { only: numberOf(flags.round, "--round") }),
  progress: (text) => process.stderr.write(`${text}\n`),
});

for (const [name, { tried, issued, refused }] of tallies)
  console.log(
    `${name.padEnd(32)} ${column(tried)} tried ${column(issued)} issued ${column(refused)} refused`,
  );
for (const [code, count] of [...codes].sort(([, a], [, b]) => b - a))
  console.log(`${(code || "issued").padEnd(32)} ${column(count)}`);
console.log(
  `seed ${flags.seed}: ${rounds} requests, ${judged} certificates judged, none forbidden; ` +
    `heap ${grown < 0 ? "-" : "+"}${(Math.abs(grown) / 1e6).toFixed(1)} MB; ` +
    `${((performance.now() - started) / 1000).toFixed(0)} s`,
);

function column(count: number): string {
  return count.toLocaleString("en-US").padStart(9);
}

function numberOf(text: string, flag: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0)
    throw new TypeError(`${flag} ${text} is not a whole number`);
  return number;
}
