/** What teaches simulation is true: its blocks compile, run, and print what they say. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scenarios } from "../../src/apps/simulate/index.ts";
import { mutants } from "../mutants/mutants.ts";
import { examine, programIn, promisedBy } from "./program.ts";

const text = await readFile(join(import.meta.dirname, "../../docs/simulation.md"), "utf8");

test("docs/simulation.md is one program, which prints what its comments say", async () => {
  const program = programIn(text);
  const promised = promisedBy(program);
  expect(promised.length).toBeGreaterThan(8);
  expect(await examine(program)).toEqual({ problems: [], printed: promised });
}, 120_000);

test("it names every scenario, and every planted bug", () => {
  for (const name of scenarios.keys()) expect(text).toContain(`| \`${name}\``);
  for (const { name } of mutants) expect(text).toContain(`| ${name}`);
});
