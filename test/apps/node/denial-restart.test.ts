/** A denial, on a node that is killed. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTalosconfig } from "#config";
import { readCertificate } from "#pki";
import { systemClock } from "#runtime";
import { bench, type Bench } from "../cli/harness.ts";
import { freePort } from "../cli/listening-node.ts";

const root = join(import.meta.dirname, "../../..");
const config = join(root, "test/fixtures/talos-demo/controlplane.yaml");

let here: Bench;
const running: ChildProcess[] = [];
beforeEach(async () => {
  here = await bench(systemClock.now());
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  await here[Symbol.asyncDispose]();
});

/** Starts the node, and waits until it serves. */
async function start(port: number) {
  const args = ["up", "--config", config, "--state-dir", "state", "--api-port", String(port)];
  const child = spawn(join(root, "bin/trustplane"), [...args, "--time-source", "none"], {
    cwd: here.cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  const ended = once(child, "close").then(() => {
    throw new Error(`it ended: ${text}`);
  });
  ended.catch(() => undefined); // of interest only while somebody waits
  const said = async (part: string) => {
    while (!text.includes(part))
      await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), ended]);
  };
  await said("apid listens");
  await said("apid-server");
  return { child, said };
}

test("who is denied stays so after the node was killed", { timeout: 60_000 }, async () => {
  const port = await freePort();
  const first = await start(port);
  const admin = ["--talosconfig", "state/talosconfig", "-e", `127.0.0.1:${port}`];
  const reader = ["--talosconfig", "reader", "-e", `127.0.0.1:${port}`, "-n", "127.0.0.1"];
  const made = await here.run("config", "new", "reader", "--roles", "os:reader", ...admin);
  expect(made.status).toBe(0);
  expect((await here.run("get", "hostname", ...reader)).status).toBe(0);
  const { context, contexts } = readTalosconfig(await here.read("reader"));
  const crt = contexts[context]?.crt ?? "";
  const { fingerprint } = readCertificate(crt);
  const denied = await here.run("deny", fingerprint, "--reason", "lost", ...admin);
  expect([denied.status, denied.stderr]).toEqual([0, ""]);
  first.child.kill("SIGKILL"); // as soon as it is acknowledged
  await once(first.child, "close");

  const second = await start(port);
  const refused = await here.run("get", "hostname", ...reader);
  expect(refused.status).toBe(1);
  await second.said("certificate is denied");
  expect((await here.run("deny", "list", ...admin)).stdout).toContain(fingerprint);
  const posture = await here.run("get", "securitystatus", "node", "-o", "yaml", ...admin);
  expect(posture.stdout).toMatch(/reason: ClientsDenied/);
  expect((await here.run("undeny", fingerprint, ...admin)).status).toBe(0);
  expect((await here.run("get", "hostname", ...reader)).status).toBe(0);
});
