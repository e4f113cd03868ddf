/** What `up` tells the person who started it. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { at } from "#runtime";
import { bench, type Bench } from "./harness.ts";
import { freePort } from "./listening-node.ts";

const config = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");

let here: Bench;
beforeEach(async () => {
  here = await bench(at("2030-01-01"));
});
afterEach(() => here[Symbol.asyncDispose]());

/** Runs a node until its table is there. */
async function up(terminal: boolean, ...flags: string[]) {
  const abort = new AbortController();
  const { signal } = abort;
  const argv = ["up", "--config", config, "--api-port", String(await freePort()), ...flags];
  const onStdout = () => abort.abort();
  const outcome = await here.runWith({ terminal, signal, onStdout }, ...argv);
  expect(outcome).toMatchObject({ status: 0, stdout: expect.stringMatching(/^NODE /) as string });
  return outcome.stderr;
}

test("on a terminal the last line says where everything is, and what to try", async () => {
  const state = join(here.cwd, "state");
  const tried = `try: ./bin/trustplane get certificatestatus --talosconfig ${state}/talosconfig\n`;
  expect(await up(true, "--state-dir", "state")).toContain(
    `\ntalosconfig in ${state}/talosconfig, certificates and keys in ${state}/pki; ${tried}`,
  );
  const elsewhere = await up(true, "--state-dir", "state", "--pki-dir", "pki");
  expect(elsewhere).toContain(`certificates and keys in ${join(here.cwd, "pki")}; ${tried}`);
});

test("elsewhere nothing but the log is on stderr", async () => {
  const lines = (await up(false)).trimEnd().split("\n");
  for (const line of lines) expect(line).toMatch(/^(\{|WARNING: )/);
});
