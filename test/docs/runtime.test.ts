/** What teaches the runtime is true: its blocks compile, run, and print what they say. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { examine, programIn, promisedBy } from "./program.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const textOf = (path: string) => readFile(join(root, path), "utf8");

test("docs/runtime.md is one program, which prints what its comments say", async () => {
  const program = programIn(await textOf("docs/runtime.md"));
  const promised = promisedBy(program);
  expect(promised.length).toBeGreaterThan(10);
  expect(await examine(program)).toEqual({ problems: [], printed: promised });
});

test("a block that does not compile is found", async () => {
  const { problems } = await examine('const a: number = "text";\nconsole.log(a); // text\n');
  expect(problems).toEqual(["Type 'string' is not assignable to type 'number'."]);
});

test("the example has under 80 lines, and follows its hosts and services", async () => {
  const example = "examples/load-balancer.ts";
  expect((await textOf(example)).split("\n").length).toBeLessThan(80);
  const path = join(root, example);
  const { stdout } = await run(process.execPath, ["--conditions=trustplane-src", path]);
  expect(stdout.trimEnd().split("\n")).toEqual([
    "created web running 192.0.2.1:80 192.0.2.2:80",
    "web needs 2 healthy hosts",
    "updated web running 192.0.2.2:80 192.0.2.3:80",
    "updated web tearingDown 192.0.2.2:80 192.0.2.3:80",
    "destroyed web tearingDown 192.0.2.2:80 192.0.2.3:80",
  ]);
});
