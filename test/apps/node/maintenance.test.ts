/** A node without configuration as a process: it waits, is configured from outside, and goes on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "#runtime";
import { bench } from "../cli/harness.ts";

const root = join(import.meta.dirname, "../../..");
const config = join(root, "test/fixtures/talos-demo/controlplane.yaml");

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("a node in maintenance prints its fingerprint, takes one configuration and is a node", async () => {
  const directory = await mkdtemp(join(tmpdir(), "trustplane-maintenance-"));
  const stateDir = join(directory, "state");
  const place = `127.0.0.1:${await freePort()}`;
  const port = place.slice(place.indexOf(":") + 1);
  const args = ["up", "--maintenance", "--state-dir", stateDir, "--api-port", port];
  const node = spawn(join(root, "bin/trustplane"), args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [node.stdout, node.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  const hasSaid = async (what: RegExp) => {
    while (!what.test(said)) await once(node.stderr, "data");
    return what.exec(said)?.[1] ?? "";
  };
  try {
    const fingerprint = await hasSaid(/certificate fingerprint (\S+)\n/);
    await using here = await bench(systemClock.now());
    const nodes = ["-i", "-n", place, "--cert-fingerprint", fingerprint];
    expect((await here.run("get", "mc", ...nodes)).stderr).toContain("not authorized");
    const applied = await here.run("apply-config", ...nodes, "-f", config);
    expect({ status: applied.status, stderr: applied.stderr }).toMatchObject({ status: 0 });
    await hasSaid(/"(apid listens)"/);
    const talosconfig = join(stateDir, "talosconfig");
    while (!/ apid-server .* Valid\n/.test(said)) await once(node.stdout, "data");
    const got = await here.run("get", "mc", "--talosconfig", talosconfig, "-n", "127.0.0.1");
    expect(got).toMatchObject({ status: 0 });
    expect((await here.run("version", ...nodes)).status).toBe(1); // it is another certificate now
  } finally {
    node.kill("SIGTERM");
    await once(node, "close");
    await rm(directory, { recursive: true });
  }
});

test("--maintenance and --config exclude each other", async () => {
  await using here = await bench(systemClock.now());
  const both = await here.run("up", "--maintenance", "--config", "a.yaml");
  expect(both.status).toBe(2);
  expect(both.stderr).toContain("--maintenance waits for a configuration, and --config is one");
  expect((await here.run("get", "rd", "-i")).stderr).toContain("--insecure needs --nodes");
  const pinned = await here.run("get", "rd", "--cert-fingerprint", `${"a".repeat(43)}=`);
  expect(pinned.stderr).toContain("--cert-fingerprint needs --insecure");
});
