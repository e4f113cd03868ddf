/** A node as a process: what of it is started anew, by itself and as a whole, and how it is ended. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTalosconfig } from "#config";
import { systemClock } from "#runtime";
import { expect, test } from "vitest";
import { connect, type Client, type Happening } from "../../../src/apps/client/index.ts";
import { eventMessages, nameOfTypeUrl } from "../../../src/apps/rpc/event-messages.ts";
import {
  Event,
  ServiceStateEvent_Action as Action,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { bench, type Bench } from "../cli/harness.ts";
import { freePort } from "../cli/listening-node.ts";

const root = join(import.meta.dirname, "../../..");
const launcher = join(root, "bin/trustplane");
const config = join(root, "test/fixtures/talos-demo/controlplane.yaml");
const node = "127.0.0.1";

/** Starts a node, and ends it with the test. */
async function startNode() {
  const directory = await mkdtemp(join(tmpdir(), "trustplane-lifecycle-"));
  const stateDir = join(directory, "state");
  const port = String(await freePort());
  const ports = ["--api-port", port, "--trustd-port", String(await freePort())];
  const args = ["up", "--config", config, "--state-dir", stateDir, ...ports];
  const child = spawn(launcher, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close").then(([code, signal]: unknown[]) => code ?? signal);
  let logged = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (logged += chunk));
  let said = "";
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false }))
    if (/etcd-server .*Valid\n/.test((said += String(chunk)))) break;
  child.stdout.resume();
  const talosconfig = join(stateDir, "talosconfig");
  const { contexts } = readTalosconfig(await readFile(talosconfig, "utf8"));
  const { endpoints = [], ca = "", crt = "", key = "" } = contexts.demo ?? {};
  const context = { endpoints, ca, crt, key };
  return {
    ...{ ended, stateDir, talosconfig, port, context },
    /** Waits until a line of the log has come as often as that. */
    async logs(message: string, times: number) {
      while (logged.split(`"msg":"${message}"`).length <= times) await once(child.stderr, "data");
    },
    client: () => connect({ ...context, source: "the test", clock: systemClock }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await rm(directory, { recursive: true });
    },
  };
}
type Node = Awaited<ReturnType<typeof startNode>>;

/** Runs the program as a process of its own, which waits by the clock of the machine. */
async function program(...args: string[]) {
  const child = spawn(launcher, args, { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stdout.resume();
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stderr };
}

/** In words: `TaskEvent stopAllServices 1`, the last being the number of the action. */
const inWords = ({ told }: Pick<Happening, "told">): string => {
  const message = (told?.message ?? {}) as Record<string, string | number | undefined>;
  const what = message.sequence ?? message.phase ?? message.task ?? message.service;
  return `${told?.name ?? ""} ${what ?? message.stage ?? ""} ${message.action ?? ""}`;
};

/**
 * All that comes until the stream ends. The library for gRPC forgets what has come together with a
 * failure, so this reads the stream itself.
 */
async function heard({ context, port }: Node, onOpen: () => void): Promise<Event[]> {
  const { ca, crt, key } = context;
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    ca,
    cert: crt,
    key: opensslKey(key),
  });
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": "/machine.MachineService/Events",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(Buffer.alloc(5)); // a request in which nothing is said
  const all: Event[] = [];
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
        const end = 5 + rest.readUInt32BE(1);
        const event = Event.decode(rest.subarray(5, end));
        rest = rest.subarray(end);
        if (event.id === "") onOpen();
        else all.push(event);
      }
    }
  } catch {
    // The node is gone.
  }
  session.destroy();
  return all;
}

const toldIn = ({ data }: Event): Pick<Happening, "told"> => {
  const name = nameOfTypeUrl(data?.typeUrl ?? "");
  if (name === undefined || data === undefined) return { told: undefined };
  return { told: { name, message: eventMessages[name].decode(data.value) } as Happening["told"] };
};

/** Which boot this is. */
async function bootIdOf(client: Client): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of client.read("/proc/sys/kernel/random/boot_id", { node }))
    pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Waits until a service that was stopped runs again. */
async function runsAgain(client: Client, service: string): Promise<void> {
  let wasStopped = false;
  for await (const event of client.events({ tail: -1 }, { node })) {
    if (event.type !== "happened" || event.told?.name !== "ServiceStateEvent") continue;
    const { message } = event.told;
    if (message.service !== service) continue;
    if (message.action === Action.RUNNING && wasStopped) return;
    wasStopped ||= message.action === Action.STOPPING;
  }
}

async function restartsInPlace(running: Node, here: Bench): Promise<void> {
  const talosconfig = ["--talosconfig", running.talosconfig];
  await using client = running.client();
  const bootId = await bootIdOf(client);
  for (const service of ["controller-runtime", "apid"]) {
    const before = (await client.services({ node })).find(({ id }) => id === service);
    const restarted = await here.run("service", service, "restart", ...talosconfig);
    expect(restarted.stdout).toContain(`Service "${service}" restarted`);
    if (service === "apid") await running.logs("apid listens", 2); // there is nobody before
    await using after = running.client();
    await runsAgain(after, service);
    const now = (await after.services({ node })).find(({ id }) => id === service);
    expect(now?.state).toBe("Running");
    expect(now?.events.length).toBeGreaterThan(before?.events.length ?? 0);
    expect(await bootIdOf(after)).toBe(bootId);
  }
  const svc = await here.run("get", "svc", ...talosconfig);
  expect(svc.stdout).toMatch(/ apid +\d+ +true +true +false\n/);
  expect(svc.stdout).toMatch(/ trustd +\d+ +true +true +false\n/);
}

async function reboots(running: Node): Promise<void> {
  await using before = running.client();
  const bootId = await bootIdOf(before);
  const { promise: asked, resolve } = Promise.withResolvers<ReturnType<typeof program>>();
  const events = await heard(running, () =>
    resolve(program("reboot", "--talosconfig", running.talosconfig)),
  );
  const { status, stderr } = await asked;
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stderr).toMatch(/ RUNNING, ready: true, unmet conditions: \[\]\n$/);
  const own = events.filter(({ actorId }) => actorId !== "");
  expect(new Set(own.map(({ actorId }) => actorId)).size).toBe(1);
  expect(own.map((event) => inWords(toldIn(event)))).toEqual([
    "MachineStatusEvent 5 ",
    "SequenceEvent reboot 1",
    "PhaseEvent stopServices 0",
    "TaskEvent stopAllServices 0",
    "TaskEvent stopAllServices 1",
    "PhaseEvent stopServices 1",
    "SequenceEvent reboot 2",
  ]);
  await using after = running.client(); // at the same port
  expect(await bootIdOf(after)).not.toBe(bootId);
  for await (const event of after.events({ tail: -1 }, { node })) {
    if (event.type === "opened") continue;
    expect(inWords(event)).toBe("SequenceEvent boot 1");
    break;
  }
}

async function resets(running: Node): Promise<void> {
  const { talosconfig, stateDir, port } = running;
  const asked = ["reset", "--reboot", "--talosconfig", talosconfig];
  const kept = await program(...asked);
  expect(kept).toMatchObject({ status: 1 });
  expect(kept.stderr).toMatch(/no other control plane is known here.*\nhint: .*--graceful=false/);
  const { status, stderr } = await program(...asked, "--graceful=false", "-n", node);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stderr).toMatch(/: RESETTING, /);
  await running.logs("in maintenance", 1);
  const left = ["audit", "state.db", "state.db-wal"];
  expect((await readdir(stateDir)).sort()).toEqual(left);
  const given = await program("apply-config", "-i", "-n", `${node}:${port}`, "-f", config);
  expect(given).toMatchObject({ status: 0 });
  await running.logs("apid listens", 4);
}

test(
  "services restart in place, a reboot keeps the port and nothing else, a reset the audit log, a shutdown ends with 0",
  { timeout: 120_000 },
  async () => {
    await using running = await startNode();
    await using here = await bench(systemClock.now());
    await restartsInPlace(running, here);
    await reboots(running);
    await resets(running);
    const { status, stderr } = await program("shutdown", "--talosconfig", running.talosconfig);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(await running.ended).toBe(0);
  },
);
