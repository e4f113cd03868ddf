import { execFile } from "node:child_process";
import { join } from "node:path";
import { at } from "#runtime";
import { describe, expect, test } from "vitest";
import { daysOf, wholeHorizon } from "../../../src/apps/simulate/index.ts";
import { bench } from "./harness.ts";

const NOW = at("2030-01-01");
const short = ["simulate", "--seed", "7", "--days", "5"];

describe("one seed", () => {
  test("prints a summary and its hash, the same each time, and another for another seed", async () => {
    await using b = await bench(NOW);
    const first = await b.run(...short);
    const second = await b.run(...short);
    const other = await b.run("simulate", "--seed", "8", "--days", "5");
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/^scenario +control-plane, seed 7, 5 days, 1 node\n/);
    expect(first.stdout).toMatch(/\ntrace hash [0-9a-f]{64}\n$/);
    expect(second.stdout).toBe(first.stdout);
    expect(other.stdout.split("trace hash")[1]).not.toBe(first.stdout.split("trace hash")[1]);
  });

  test("writes a trace, which is explained, and runs again the same", async () => {
    await using b = await bench(NOW);
    const { stdout } = await b.run(...short, "--trace", "t.jsonl");
    const explained = await b.run("simulate", "--explain", "t.jsonl");
    expect(explained.stdout).toContain("cp-1   starts (process 1)");
    expect(explained.stdout).toContain("leaf signed");
    const again = await b.run("simulate", "--replay", "t.jsonl");
    expect(again).toMatchObject({ status: 0, stdout: stdout.split("\n").slice(-2).join("\n") });
    const refused = await b.run(...short, "--trace", "t.jsonl");
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--force") as string,
    });
    const changed = (await b.read("t.jsonl")).replace("leaf signed", "leaf sung");
    await b.write("u.jsonl", changed);
    const different = await b.run("simulate", "--replay", "u.jsonl");
    expect(different.status).toBe(1);
    expect(different.stdout).toMatch(
      /^line \d+ is different\nbefore: .*leaf sung.*\nnow: .*leaf signed/,
    );
  });

  test("no secret gets into a trace", async () => {
    await using b = await bench(NOW);
    await b.run(...short, "--trace", "t.jsonl");
    expect(await b.read("t.jsonl")).not.toMatch(/PRIVATE KEY|LS0tLS1/);
    expect(await b.mode("t.jsonl")).toBe(0o600);
  });
});

test("--list names the scenarios", async () => {
  await using b = await bench(NOW);
  const { stdout } = await b.run("simulate", "--list");
  expect(stdout).toMatch(/^control-plane +1 node +3650 days\n/);
});

test.each([
  [["--seed", "x"]],
  [["--seed", "1.5"]],
  [["--years", "0"]],
  [["--years", "51"]],
  [["--years", "1", "--days", "1"]],
  [["--scenario", "none"]],
  [["--only", "a"]],
  [["--minutes", "1", "--seed", "1"]],
  [["--explain", "a", "--replay", "b"]],
  [["--unknown"]],
  [["--force"]],
  [["--seed", "7", "--days", "5", "--only", "99999"]],
  [["--scenario", "herd", "--days", "5"]],
  [["--explain", "no-such-file"]],
])("%j is wrong usage", async (flags) => {
  await using b = await bench(NOW);
  expect((await b.run("simulate", ...flags)).status).toBe(2);
});

test("what is no trace is refused by name", async () => {
  await using b = await bench(NOW);
  await b.write("x", "{}\n");
  for (const flag of ["--explain", "--replay"])
    expect(await b.run("simulate", flag, "x")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("no trace of a simulation") as string,
    });
});

test("a trace that cannot be written is told, and is no broken property", async () => {
  await using b = await bench(NOW);
  const full = await b.run(...short, "--trace", "/dev/full", "--force");
  expect(full).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringContaining('cannot write "/dev/full"') as string,
  });
});

test("a trace that is damaged is told up to there", async () => {
  await using b = await bench(NOW);
  await b.run(...short, "--trace", "t.jsonl");
  const [first = "", second = ""] = (await b.read("t.jsonl")).split("\n");
  await b.write("u.jsonl", `${first}\n${second}\n{"what":"wri`);
  expect(await b.run("simulate", "--explain", "u.jsonl")).toMatchObject({
    status: 2,
    stdout: expect.stringMatching(/^ +control-plane, seed 7, 5 days\n.*\n$/) as string,
    stderr: "error: line 3 of the trace is damaged\n",
  });
});

test("random seeds that are interrupted before the first is over have proved nothing", async () => {
  await using b = await bench(NOW);
  const signal = AbortSignal.abort(new Error("stop"));
  const { status, stdout } = await b.runWith({ signal }, "simulate", "--minutes", "1");
  expect({ status, stdout }).toEqual({ status: 130, stdout: "" });
});

test.each(["0.000001", "0.3", "36.123457", "18250"])(
  "a horizon of %s days is printed so that it can be typed again",
  (typed) => {
    const horizon = wholeHorizon(Number(typed));
    expect(daysOf(horizon)).toBe(typed);
    expect(wholeHorizon(Number(daysOf(horizon)))).toBe(horizon);
  },
);

describe("a bug", () => {
  const root = join(import.meta.dirname, "../../..");
  const planted = (command: string) =>
    new Promise<{ status: number; stdout: string }>((resolve) => {
      const [program = "", ...argv] = command.split(" ");
      const env = {
        ...process.env,
        MUTANT: "names that were changed are not looked at",
        NODE_OPTIONS: `--import ${join(root, "test/mutants/plant.ts")}`,
      };
      execFile(program, argv, { cwd: root, env }, (error, stdout) => {
        resolve({ status: error === null ? 0 : Number(error.code), stdout });
      });
    });

  test("is shrunk to few events, and the printed command repeats it", async () => {
    const found = await planted(
      "./bin/trustplane simulate --scenario config-changes --seed 1 --days 10",
    );
    expect(found.status).toBe(1);
    const [told = ""] = found.stdout.split("\n");
    expect(told).toMatch(/^BROKEN: /);
    const events = Number(/^events \((\d+)\)/m.exec(found.stdout)?.[1]);
    expect(events).toBeLessThanOrEqual(10);
    const command = /^repeat it: (.*)$/m.exec(found.stdout)?.[1] ?? "";
    const again = await planted(command);
    expect(again.status).toBe(1);
    expect(again.stdout.split("\n")[0]).toBe(told);
  }, 120_000);
});
