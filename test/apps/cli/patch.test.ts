/** `patch`, `edit`, `machineconfig patch`, and the flags of `apply-config`. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { writeTalosconfig } from "#config";
import { ACTIVE, MachineConfig } from "#resources";
import { minutes, systemClock } from "#runtime";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { issueClient, issueRoot } from "../apid/running-node.ts";
import { bench, type Bench } from "./harness.ts";
import { type Received, startNode } from "./listening-node.ts";

const CONFIG = "version: v1alpha1\nmachine:\n    type: worker # a comment\n    token: abc\n";

let here: Bench;
let node: Awaited<ReturnType<typeof startNode>>;
const received: Received[] = [];
beforeAll(async () => {
  here = await bench(systemClock.now());
  const root = await issueRoot();
  node = await startNode(root, { address: "127.0.0.1", id: "one", received });
  await node.store.create(MachineConfig, ACTIVE, { yaml: CONFIG });
  const context = {
    endpoints: [`127.0.0.1:${node.apid.port}`],
    nodes: ["127.0.0.1"],
    ca: root.crt,
    ...(await issueClient(root)),
  };
  await here.write("tc", writeTalosconfig({ context: "c", contexts: { c: context } }));
});
afterAll(async () => {
  await node.apid.close();
  await node.store.close();
  await here[Symbol.asyncDispose]();
});
beforeEach(() => {
  received.length = 0;
});

const run = (...argv: string[]) => here.run(...argv, "--talosconfig", "tc");
const PATCHED = "version: v1alpha1\nmachine:\n    type: worker\n    token: def\n";

test("patch: the configuration in force is fetched, patched and applied", async () => {
  expect(
    await run("patch", "mc", "-p", "machine: {token: def}", "-m", "try", "--timeout", "90s"),
  ).toEqual({
    status: 0,
    stdout: "patched MachineConfigs.config.talos.dev/v1alpha1 at the node 127.0.0.1\n",
    stderr: "WARNING: machine.token is odd\nChanged: machine.certSANs\n",
  });
  expect(received).toEqual([
    { data: PATCHED, mode: "try", dryRun: false, tryTimeout: minutes(1.5) },
  ]);
});

test("patch: by files, with and without @, several in their order", async () => {
  await here.write("a.yaml", "machine: {token: x}");
  await here.write("b.json", '[{"op": "replace", "path": "/machine/token", "value": "def"}]');
  const dry = await run("patch", "machineconfig", "-p", "@a.yaml", "-p", "b.json", "--dry-run");
  expect(dry.stdout).toBe(""); // nothing was patched
  await run("patch", "machineconfig", "--patch-file", "b.json");
  expect(received).toMatchObject([
    { data: PATCHED, mode: "no-reboot", dryRun: true },
    { data: PATCHED, dryRun: false },
  ]);
});

test.each([
  [["-p", "machine: {tokn: x}"], 1, "the patch:1:11: machine.tokn: unknown key"],
  [["-p", "@none.yaml"], 1, 'cannot read "none.yaml"'],
  [["-p", '[{"op":"remove","path":"/x"}]'], 1, "remove /x: the configuration has nothing there"],
  [
    ["-p", "machine: {}", "--mode", "reboot"],
    2,
    "Allowed choices are auto, no-reboot, staged, try",
  ],
  [[], 2, "either --patch or --patch-file should be defined"],
])("patch %j is refused, and the node is not told", async (flags, status, problem) => {
  const outcome = await run("patch", "mc", ...flags);
  expect(outcome.stderr).toContain(problem);
  expect(outcome.status).toBe(status);
  expect(received).toEqual([]);
});

test("apply-config: a patch is applied to the file before it is sent", async () => {
  await here.write("new.yaml", CONFIG);
  await run("apply-config", "-f", "new.yaml", "-p", "machine: {token: def}", "--mode", "staged");
  expect(received).toMatchObject([{ data: PATCHED, mode: "staged" }]);
});

test.each([
  ["patch", "mc", "-p", "machine: {token: def}"],
  ["apply-config", "-f", "new.yaml"],
  ["edit", "mc", "--mode", "staged"],
])("%s: a timeout is of the mode try, and refused elsewhere", async (...argv) => {
  const { status, stderr } = await run(...argv, "--timeout", "5s");
  expect(status).toBe(2);
  expect(stderr).toContain(
    "error: --timeout belongs to --mode try: this change would not be taken back\n",
  );
  expect(received).toEqual([]);
});

test("machineconfig patch: a file is written anew, offline", async () => {
  await here.write("old.yaml", CONFIG);
  const args = ["machineconfig", "patch", "old.yaml", "-p", "machine: {token: def}"];
  expect(await here.run(...args)).toEqual({ status: 0, stdout: PATCHED, stderr: "" });
  await here.run(...args, "-o", "made.yaml");
  expect(await here.read("made.yaml")).toBe(PATCHED);
  expect(await here.mode("made.yaml")).toBe(0o600);
});

const editing = (edit: (path: string) => Promise<void>) =>
  here.runWith({ edit }, "edit", "mc", "--talosconfig", "tc");

test("edit: what was written is applied, without its header; the file is private and goes away", async () => {
  let [seen, mode, file] = ["", 0, ""];
  const outcome = await editing(async (path) => {
    [seen, mode, file] = [await readFile(path, "utf8"), (await stat(path)).mode & 0o777, path];
    await writeFile(path, seen.replace("abc", "def"));
  });
  expect(outcome.status).toBe(0);
  expect(seen).toMatch(/^# Editing .* at node 127\.0\.0\.1\.\n# .*\nversion: v1alpha1\n/);
  expect(mode).toBe(0o600);
  await expect(stat(file)).rejects.toThrow("ENOENT");
  expect(received).toMatchObject([{ data: CONFIG.replace("abc", "def"), mode: "no-reboot" }]);
});

test("edit: an unchanged or an empty text changes nothing", async () => {
  const cancelled = { status: 0, stdout: "", stderr: "Edit cancelled: no changes made.\n" };
  expect(await editing(async () => undefined)).toEqual(cancelled);
  expect(await editing((path) => writeFile(path, ""))).toEqual(cancelled);
  expect(received).toEqual([]);
});

test("edit: what the node refuses is opened again, with the reason at its top", async () => {
  const seen: string[] = [];
  const outcome = await editing(async (path) => {
    seen.push(await readFile(path, "utf8"));
    await writeFile(path, seen.length === 1 ? "bad: 1\n" : CONFIG.replace("abc", "def"));
  });
  expect(outcome.status).toBe(0);
  expect(seen[1]).toMatch(
    /^# Editing [^]*# It was not taken:\n# rpc error: [^\n]*a document has[^]*\nbad: 1\n$/,
  );
  expect(received).toHaveLength(1);
});

test("edit: who leaves a refused text as it is ends with its reason", async () => {
  let times = 0;
  const outcome = await editing(async (path) => {
    if (times++ === 0) await writeFile(path, "bad: 1\n");
  });
  expect(outcome.status).toBe(1);
  expect(outcome.stderr).toContain("the edited configuration:1: a document has");
  expect(times).toBe(2);
});
