/** A control plane and workers that join it, each a process with an address of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as dialTls } from "node:tls";
import { readDuration, readTalosconfig } from "#config";
import { opensslKey } from "../../src/apps/rpc/openssl-key.ts";
import { execute, root, trustplane } from "./node.ts";

const CONTROL_PLANE = "127.0.0.41";

/** So that the end of what workers hold can be waited for; a renewal comes after half of it or later. */
export const LIFE_S = 120;

const POLICY = `
description: short lives
profiles:
  nodeServer: { lifetimeMax: ${String(LIFE_S)}s }
  nodeIdentity: { lifetimeMax: ${String(LIFE_S)}s }
`;

/** A worker. */
export interface Worker {
  readonly process: ChildProcess;
  /** What it serves now, whether or not that is valid. */
  serves(): Promise<X509Certificate>;
  /** The status of a certificate of it, asked through the control plane. */
  status(id: string): Promise<Status>;
}

/** What is looked at of a status. */
export interface Status {
  readonly state: string;
  readonly why: string;
  /** In milliseconds; undefined where it was not measured. */
  readonly peerSkew: number | undefined;
}

/** One that is ended when it is disposed of. */
export interface Cluster extends AsyncDisposable {
  /** Starts a worker, and waits until its API serves. */
  join(number: number, env?: Readonly<Record<string, string>>): Promise<Worker>;
  /** The ids of the members that joined. */
  members(): Promise<string[]>;
  /** How many certificates were asked for so far by a call, as the audit log has it. */
  asked(method: "Join" | "Renew"): Promise<number>;
}

/**
 * Starts a control plane with a configuration that it has made, under a policy of short lives.
 *
 * @param founding environment in which the authorities are made
 */
export async function openCluster(
  scratch: string,
  founding: Readonly<Record<string, string>> = {},
): Promise<Cluster> {
  const configs = join(scratch, "configs");
  const found = ["gen", "config", "demo", `https://${CONTROL_PLANE}:6443`, "-o", configs];
  await execute(trustplane, found, { env: { ...process.env, ...founding } });
  const [apiPort = 0, trustdPort = 0] = await freePorts(CONTROL_PLANE, 2);
  const ports = ["--api-port", String(apiPort), "--trustd-port", String(trustdPort)];
  const nodes: ChildProcess[] = [];
  const start = async (name: string, address: string, config: string, env = {}) => {
    const stateDir = join(scratch, name);
    const flags = ["--config", join(configs, config), "--state-dir", stateDir, ...ports];
    const named = ["--api-address", address, "--hostname", name, "--time-source", "none"];
    const child = spawn(trustplane, ["up", ...flags, ...named], {
      ...{ cwd: root, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } },
    });
    nodes.push(child);
    await said(child, '"msg":"apid listens"');
    return child;
  };
  await start("cp", CONTROL_PLANE, "controlplane.yaml");
  const talosconfig = join(scratch, "cp", "talosconfig");
  const run = async (...args: string[]) =>
    (await execute(trustplane, [...args, "--talosconfig", talosconfig])).stdout;
  const policy = join(scratch, "policy.yaml");
  await writeFile(policy, POLICY);
  await run("policy", "apply", "-f", policy);
  const identity = await identityIn(talosconfig);
  return {
    async join(number, env) {
      const address = `127.0.0.${String(41 + number)}`;
      const child = await start(`w${String(number)}`, address, "worker.yaml", env);
      return {
        process: child,
        serves: () => servedAt(address, apiPort, identity),
        async status(id) {
          const text = await run("get", "certificatestatus", id, "-n", address, "-o", "json");
          const { spec } = JSON.parse(text) as { readonly spec: Record<string, string> };
          const { state = "", why = "", peerSkew = "" } = spec;
          return { state, why, peerSkew: readDuration(peerSkew) };
        },
      };
    },
    async members() {
      const text = await run("member", "list", "-o", "json");
      const list = text.split(/\n(?=\{)/).map((each) => JSON.parse(each) as Listed);
      return list.filter(({ joined }) => joined !== "").map(({ nodeId }) => nodeId);
    },
    async asked(method) {
      const audit = await readFile(join(scratch, "cp", "audit", "audit.log"), "utf8");
      const done = audit.split("\n").filter((line) => line.includes('"outcome":"OK"'));
      return done.filter((line) => line.includes(`NodeService/${method}"`)).length;
    },
    async [Symbol.asyncDispose]() {
      for (const child of nodes.filter((each) => each.exitCode === null)) {
        const ended = once(child, "exit");
        if (child.kill("SIGKILL")) await ended;
      }
    },
  };
}

interface Listed {
  readonly nodeId: string;
  readonly joined: string;
}

/** Waits until a node logs something; what it logs then is not kept. */
async function said({ stderr, spawnargs }: ChildProcess, what: string): Promise<void> {
  let text = "";
  for await (const chunk of stderr?.iterator({ destroyOnReturn: false }) ?? [])
    if ((text += String(chunk)).includes(what)) return void stderr?.resume();
  throw new Error(`${spawnargs.join(" ")} ended: ${text}`);
}

async function identityIn(path: string) {
  const { context, contexts } = readTalosconfig(await readFile(path, "utf8"), path);
  const { crt = "", key = "" } = contexts[context] ?? {};
  return { crt, key };
}

async function servedAt(
  host: string,
  port: number,
  { crt, key }: { readonly crt: string; readonly key: string },
): Promise<X509Certificate> {
  const identity = { cert: crt, key: opensslKey(key), ALPNProtocols: ["h2"] };
  const socket = dialTls({ host, port, ...identity, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) throw new Error(`${host} serves no certificate`);
    return certificate;
  } finally {
    socket.destroy();
  }
}

/** Ports that nobody listens on now. */
async function freePorts(address: string, count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, address));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** Looks again and again until there is something. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  patienceMs: number,
): Promise<T> {
  let problem: unknown;
  for (const begun = performance.now(); performance.now() - begun < patienceMs;) {
    const found = await look().catch((error: unknown) => {
      problem = error;
      return undefined;
    });
    if (found !== undefined) return found;
    await delay(500);
  }
  throw new Error(`${what} within ${String(patienceMs / 1000)} s`, { cause: problem });
}
