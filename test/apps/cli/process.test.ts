/** The program as a process: its exit status, its pipes, how light it starts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at } from "#runtime";
import { bench, type Bench } from "./harness.ts";
import { freePort } from "./listening-node.ts";

const launcher = join(import.meta.dirname, "../../../bin/trustplane");

let here: Bench;
beforeEach(async () => {
  here = await bench(at("2030-01-01"));
});
afterEach(() => here[Symbol.asyncDispose]());

async function run(command: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, {
    cwd: here.cwd,
    env: { ...process.env, HOME: here.home, TALOSCONFIG: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { status: child.exitCode, stdout, stderr };
}

test("0 for done, 1 for failed, 2 for wrong usage", async () => {
  expect(await run(launcher, ["version", "--client", "--short"])).toMatchObject({
    status: 0,
    stderr: "",
  });
  expect(await run(launcher, ["apply-config", "-f", "missing.yaml"])).toEqual({
    status: 1,
    stdout: "",
    stderr: 'error: cannot read "missing.yaml": no such file or directory\n',
  });
  expect(await run(launcher, ["version", "--clint"])).toMatchObject({ status: 2, stdout: "" });
});

test("a reader that goes away ends it quietly", async () => {
  const script = `"$0" --help | :; echo "\${PIPESTATUS[@]}"`;
  expect(await run("bash", ["-c", script, launcher])).toEqual({
    status: 0,
    stdout: "0 0\n",
    stderr: "",
  });
});

test("an output that is full: one line, status 1, and no stack", async () => {
  const script = '"$0" version --client > /dev/full';
  expect(await run("bash", ["-c", script, launcher])).toEqual({
    status: 1,
    stdout: "",
    stderr: "error: cannot write to the standard output: no space left on the device (ENOSPC)\n",
  });
});

describe("up", { timeout: 30_000 }, () => {
  const config = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");

  /** Starts a node, and waits until it has printed its table. */
  async function start() {
    const port = String(await freePort());
    const node = spawn(launcher, ["up", "--config", config, "--api-port", port], {
      cwd: here.cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const errors = text(node.stderr);
    await Promise.race([
      once(node.stdout, "data"),
      once(node, "close").then(async () => Promise.reject(new Error(await errors))),
    ]);
    return node;
  }

  test("a hangup ends it as SIGTERM does", async () => {
    const node = await start();
    const closed = once(node, "close");
    node.kill("SIGHUP");
    await closed;
    expect({ status: node.exitCode, signal: node.signalCode }).toEqual({ status: 0, signal: null });
  });

  test("a node that `get` finds without a flag, and that a signal ends with status 0", async () => {
    const node = await start();
    const closed = once(node, "close");
    const found = await run(launcher, ["get", "certificatestatus", "apid-server"]);
    expect(found).toMatchObject({ status: 0, stderr: "" });
    expect(found.stdout).toMatch(/ apid-server .* Valid\n$/);
    node.kill("SIGTERM");
    await closed;
    expect({ status: node.exitCode, signal: node.signalCode }).toEqual({ status: 0, signal: null });
  });
});

describe("loading", () => {
  /** Every module that a run loads, as node's own loader reports them. */
  async function loaded(...argv: string[]): Promise<string> {
    const { stderr } = await run(launcher, argv, { NODE_DEBUG: "esm" });
    return [...new Set(stderr.match(/file:\/\/[^'\s]+/g))].join("\n");
  }

  const heavy = ["grpc-js/", "src/pki/", "src/config/", "/yaml/", "/zod/"];

  test.each([[["--help"]], [["get", "--help"]], [["gte"]]])(
    "%j loads neither gRPC nor cryptography nor YAML",
    async (argv) => {
      const modules = await loaded(...argv);
      expect(modules).toContain("/commander/");
      for (const part of heavy) expect(modules, part).not.toContain(part);
    },
  );

  test("a verb loads what it needs, and here is where that would be seen", async () => {
    const modules = await loaded("get", "rd");
    for (const part of heavy) expect(modules, part).toContain(part);
  });
});
