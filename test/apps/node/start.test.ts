/** A node as a process: what it does while it starts, and what it tells. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, watch, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { DatabaseSync } from "node:sqlite";
import { readTalosconfig } from "#config";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const launcher = join(root, "bin/trustplane");
const config = join(root, "test/fixtures/talos-demo/controlplane.yaml");

type Process = ChildProcessByStdio<null, Readable, Readable>;
let stateDir: string;
let running: Process[];
beforeEach(async () => {
  stateDir = join(await mkdtemp(join(tmpdir(), "trustplane-start-")), "state");
  running = [];
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  await rm(join(stateDir, ".."), { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a node; `said` resolves when stdout and stderr together match, and fails when it ends before. */
async function start(...flags: string[]) {
  const args = ["up", "--state-dir", stateDir, "--api-port", String(await freePort()), ...flags];
  const child = spawn(launcher, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const ended = once(child, "close").then(([code, signal]: unknown[]) => code ?? signal);
  const said = async (what: RegExp) => {
    const gone = ended.then((status) => {
      throw new Error(`it ended with ${String(status)}: ${text}`);
    });
    gone.catch(() => undefined); // only of interest while something is waited for
    while (!what.test(text))
      await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), gone]);
    return text;
  };
  const stop = () => {
    child.kill("SIGINT");
    return ended;
  };
  return { ended, said, stop, directory: join(stateDir, "..") };
}

const timeout = 30_000;

test("what is held is told while apid has nothing to listen with", { timeout }, async () => {
  const first = await start("--config", config);
  await first.said(/apid-server/);
  expect(await first.stop()).toBe(0);
  const database = new DatabaseSync(join(stateDir, "state.db"));
  const unusable = (type: string, sql: string) => {
    const { changes } = database
      .prepare(`UPDATE resources SET spec = ${sql} WHERE type LIKE ? AND id <> 'seed'`)
      .run(`${type}.%`);
    expect(changes).toBe(1);
  };
  // Neither is what it was made from: nothing can make it anew.
  unusable("MachineConfigs", "'{'");
  unusable("OSRootSecrets", "'{'");
  unusable("ApiCertificates", "json_set(spec, '$.server.key', 'no key')");
  database.close();

  const second = await start();
  const text = await second.said(/etcd-server .*Valid\n/);
  expect(text).toMatch(/a stored resource cannot be read/);
  expect(text).toMatch(/apid waits for another certificate/);
  expect(await second.said(/apid waits for its certificate/)).toMatch(
    /"controller":"secrets.APIController","reason":"[^"]*OSRootSecrets/,
  );
  expect(await second.stop()).toBe(0);

  const mended = await start("--config", config, "--config-overwrite");
  expect(await mended.said(/apid-server .*Valid\n/)).not.toMatch(/apid waits/);
  expect(await mended.stop()).toBe(0);
});

test("an interruption during a slow first start ends it with status 0", { timeout }, async () => {
  await mkdir(stateDir);
  const made = (async () => {
    for await (const { filename } of watch(stateDir)) if (filename === "state.db") break;
  })();
  const node = await start(); // a demo: new roots, an RSA-4096 key among them
  await made;
  expect(await node.stop()).toBe(0);
  expect(existsSync(join(stateDir, "talosconfig"))).toBe(false);
});

test("the talosconfig leads to a node that listens everywhere", { timeout }, async () => {
  const node = await start("--config", config, "--api-address", "0.0.0.0", "--hostname", "one");
  await node.said(/apid-server/);
  const path = join(stateDir, "talosconfig");
  const { contexts } = readTalosconfig(await readFile(path, "utf8"));
  const [address = ""] = contexts.demo?.nodes ?? [];
  expect(address).not.toMatch(/^(0\.0\.0\.0)?$/);
  for (const flags of [[], ["-n", "one"]]) {
    const asked = spawn(launcher, ["get", "hostname", "--talosconfig", path, ...flags]);
    asked.stderr.resume();
    expect(String(await once(asked.stdout, "data"))).toContain("HostnameStatus   hostname");
  }
  expect(await node.stop()).toBe(0);
});

test("a file of somebody else stops a start, and is named", { timeout }, async () => {
  const foreign = join(stateDir, "pki/talos");
  await mkdir(foreign, { recursive: true });
  await writeFile(join(foreign, "apid.key"), "precious");
  const node = await start("--config", config);
  await expect(node.said(/apid-server/)).rejects.toThrow(/ended with 1: [^]*talos\/apid\.key: not/);
});

test(
  "a new state directory takes another node's files only with --adopt",
  { timeout },
  async () => {
    const files = join(stateDir, "../etc");
    const owner = () => readFile(join(files, "talos/..data/..owner"), "utf8");
    const first = await start("--config", config, "--pki-dir", files);
    await first.said(/apid-server/);
    expect(await first.stop()).toBe(0);
    const before = await owner();
    const certificate = await readFile(join(files, "talos/apid.crt"), "utf8");

    stateDir = join(stateDir, "../second");
    for (const flags of [["--config", config], []]) {
      const refused = await start("--pki-dir", files, ...flags);
      await expect(refused.said(/apid-server/)).rejects.toThrow(
        /ended with 1: [^]*etc\/talos: not written by this node, .*--adopt/,
      );
      expect(await owner()).toBe(before);
      expect(await readFile(join(files, "talos/apid.crt"), "utf8")).toBe(certificate);
    }

    stateDir = join(stateDir, "../third");
    const adopting = await start("--config", config, "--pki-dir", files, "--adopt");
    await adopting.said(/apid-server/);
    expect(await adopting.stop()).toBe(0);
    expect(await owner()).toBe(before);
    expect(await readFile(join(files, "talos/apid.crt"), "utf8")).not.toBe(certificate);
  },
);

test(
  "a first start that cannot be leaves nothing that a later one goes by",
  { timeout },
  async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const attempts: readonly (readonly [readonly string[], RegExp])[] = [
      [["--config", join(stateDir, "none.yaml")], /no such file/],
      [["--config", config, "--api-port", String(port)], /port is in use/],
    ];
    for (const [flags, problem] of attempts) {
      const node = await start(...flags);
      await expect(node.said(/apid-server/)).rejects.toThrow(problem);
      expect(await node.ended).toBe(1);
      expect(existsSync(stateDir)).toBe(false);
    }
    taken.close();
  },
);

test("a state directory that cannot be made, or is in use, is named with what to do", async () => {
  const inUse = await start("--config", config);
  await inUse.said(/apid-server/);
  const second = await start();
  await expect(second.said(/apid-server/)).rejects.toThrow(/another node runs on .*--state-dir/);
  expect(await inUse.stop()).toBe(0);
  for (const [path, problem] of [
    [config, "it is not a directory"],
    [join(config, "below"), "what it stands in is not a directory"],
    ["/proc/trustplane/below", "nothing can be made there"],
  ] as const) {
    stateDir = path;
    const node = await start("--time-source", "none");
    await expect(node.said(/apid-server/)).rejects.toThrow(
      `cannot make the state directory ${path}: ${problem}; name another with --state-dir`,
    );
    expect(await node.ended).toBe(1);
  }
  stateDir = join(inUse.directory, "none"); // what is tidied away
});
