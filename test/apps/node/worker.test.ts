/** A control plane and a worker, each a node of its own in this process, that find each other by TLS. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "#runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runNode } from "../../../src/apps/node/index.ts";
import { bench, type Bench } from "../cli/harness.ts";
import { freePort } from "../cli/listening-node.ts";

const timeout = 60_000;
const places = { cp: "127.0.0.2", worker: "127.0.0.3" };

let here: Bench;
let ports: { readonly apiPort: number; readonly trustdPort: number };
const running: (() => Promise<unknown>)[] = [];

/** Starts a node; `said` resolves once it has said something to stdout or stderr. */
function start(
  name: keyof typeof places,
  config: string,
  ...more: readonly ["--config-overwrite"?]
) {
  const stop = new AbortController();
  let text = "";
  const waiting = new Set<() => void>();
  const hear = (part: string) => {
    text += part;
    for (const look of waiting) look();
  };
  const ended = runNode(
    {
      ...{ configFiles: [join(here.cwd, config)], stateDir: join(here.cwd, name), ...ports },
      ...{ apiAddress: places[name], hostname: name, timeSource: "none", adopt: false },
      configOverwrite: more.length > 0,
    },
    { stdout: hear, stderr: hear, stderrIsTerminal: false, signal: stop.signal },
  );
  ended.catch(hear);
  const end = () => {
    stop.abort();
    return ended;
  };
  running.push(() => end().catch(() => undefined));
  const said = (what: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => {
        if (!what.test(text)) return;
        waiting.delete(look);
        resolve(text);
      };
      waiting.add(look);
      look();
    });
  return { said, end };
}

const ask = (...argv: string[]) =>
  here.run(...argv, "-e", `${places.cp}:${ports.apiPort}`, "--talosconfig", "cp/talosconfig");

beforeAll(async () => {
  here = await bench(systemClock.now());
  ports = { apiPort: await freePort(), trustdPort: await freePort() };
  const made = await here.run("gen", "config", "two", `https://${places.cp}:6443`);
  expect(made.status).toBe(0);
  const worker = await here.read("worker.yaml");
  await here.write("wrong.yaml", worker.replace(/^( {4}token: ).*/m, "$1aaaaaa.aaaaaaaaaaaaaaaa"));
}, timeout);
afterAll(async () => {
  for (const end of running) await end();
  await here[Symbol.asyncDispose]();
});

test(
  "a worker joins by its token, is a member by name, renews by its identity, and starts again by itself",
  { timeout },
  async () => {
    const cp = start("cp", "controlplane.yaml");
    await cp.said(/trustd listens/);

    const wrong = start("worker", "wrong.yaml");
    const refused = await wrong.said(/apid waits for its certificate/);
    expect(refused).toMatch(/invalid token: put a token that is good into machine.token/);
    expect(refused).not.toContain("apid listens");
    expect(refused).not.toContain("aaaaaaaaaaaaaaaa");
    expect(await wrong.end()).toBe(0);

    const worker = start("worker", "worker.yaml", "--config-overwrite");
    expect(await worker.said(/apid-server .*Valid\n/)).toContain("node-identity");
    const members = await ask("get", "members", "-n", places.cp);
    expect(members.stdout).toMatch(/ worker +\d+ +worker +worker /);

    const before = await readFile(join(here.cwd, "worker/pki/talos/apid.crt"), "utf8");
    const renewed = await ask("renew", "apid-server", "-n", places.worker);
    expect({ status: renewed.status, stderr: renewed.stderr }).toEqual({ status: 0, stderr: "" });
    const issued = (await ask("get", "issued", "-n", places.cp, "-o", "yaml")).stdout;
    expect(issued.match(/token: machine.token\n/g)).toHaveLength(2);
    expect(issued.match(/token: (?:"")?\n/g)).toHaveLength(2); // by the identity
    expect(await worker.end()).toBe(0);
    expect(await cp.end()).toBe(0);

    const again = start("worker", "worker.yaml"); // nobody is there to ask
    expect(await again.said(/apid-server .*Valid\n/)).toContain("apid listens");
    const after = await readFile(join(here.cwd, "worker/pki/talos/apid.crt"), "utf8");
    expect(after).not.toBe(before);
    expect(await again.end()).toBe(0);
  },
);
