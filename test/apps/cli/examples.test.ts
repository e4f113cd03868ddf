/** The examples of `--help` work when they are pasted, one after the other. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { at } from "#runtime";
import { bench } from "./harness.ts";

/** In an order in which each finds what it needs; `up` and what asks a node have tests of their own. */
const verbs = [
  "gen ca",
  "gen key",
  "gen csr",
  "gen crt",
  "gen keypair",
  "gen secrets",
  "gen config",
  "validate",
  "config add",
  "config merge",
  "config context",
  "config contexts",
  "config endpoint",
  "config node",
  "config info",
  "config remove",
  "version",
];
const beyond = /\||\/etc\/|@token|trustplane version$/; // other programs, kubeadm's files, nodes

/** The arguments, as a shell has them. */
async function wordsOf(example: string): Promise<string[]> {
  const script = `trustplane() { printf '%s\\n' "$@"; }; ${example}`;
  const { stdout } = await promisify(execFile)("sh", ["-c", script]);
  return stdout.trimEnd().split("\n");
}

test("each example ends with status 0", { timeout: 60_000 }, async () => {
  await using here = await bench(at("2026-11-24"));
  const examples: string[] = [];
  for (const verb of verbs) {
    const { stdout } = await here.run(...verb.split(" "), "--help");
    examples.push(...(stdout.replaceAll("\\\n", "").match(/(?<=^ {2}\$ ).*/gm) ?? []));
  }
  const offline = examples.filter((example) => !beyond.test(example));
  expect(offline.length).toBeGreaterThan(verbs.length);
  // What one verb writes another reads: the bundle comes first, and is then made from what came of it.
  const last = offline.filter((example) => example.includes("--from-controlplane-config"));
  for (const example of [...offline.filter((each) => !last.includes(each)), ...last]) {
    const outcome = await here.run(...(await wordsOf(example)));
    expect(outcome, `${example}: ${outcome.stderr}`).toMatchObject({ status: 0 });
  }
});
