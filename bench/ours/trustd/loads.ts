/** What is asked of trustd, from a process of its own. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Task, Workload } from "../../size.ts";
import { each } from "../operations.ts";
import { perSecond, timed } from "../timed.ts";
import { open, type Connection, type Dial } from "./connection.ts";
import { certificateRequest, joinRequest, paths } from "./requests.ts";

/** Each has an address of its own, and so what one does is not held against another. */
const addresses = { warmup: "127.0.0.41", good: "127.0.0.42", bad: "127.0.0.43" } as const;

const CONNECTIONS = 8;

/** What every load needs to know. */
interface Target {
  readonly dialFrom: (from: string) => Dial;
  readonly token: string;
}

async function targetOf({ directory = "", address = "" }: Task): Promise<Target> {
  const [host = "", port = ""] = address.split(":");
  const ca = await readFile(join(directory, "ca.crt"), "utf8");
  const token = await readFile(join(directory, "token"), "utf8");
  return { dialFrom: (from) => ({ host, port: Number(port), ca, from }), token };
}

/** Asks, and fails unless the answer is a certificate. */
async function granted(connection: Connection, path: string, token: string, request: Uint8Array) {
  const { status, message } = await connection.call(path, token, request);
  if (status !== 0) throw new Error(`${path}: status ${status}, ${message}`);
}

const prepared = (count: number, first: number, make: (node: number) => Promise<Uint8Array>) =>
  Promise.all(Array.from({ length: count }, (_, i) => make(first + i)));

const opened = (count: number, dial: Dial) =>
  Promise.all(Array.from({ length: count }, () => open(dial)));

/** Calls a second, over a few connections. */
const calls =
  (path: string, make: (node: number) => Promise<Uint8Array>): Workload =>
  async (task) => {
    const { count, warmup = 0, inFlight = 1 } = task;
    const { dialFrom, token } = await targetOf(task);
    const connections = await opened(CONNECTIONS, dialFrom(addresses.good));
    const ask = (requests: readonly Uint8Array[]) =>
      each(inFlight, requests.length, (i) =>
        granted(connections[i % CONNECTIONS]!, path, token, requests[i]!),
      );
    await ask(await prepared(warmup, 0, make));
    const requests = await prepared(count, warmup, make);
    const measured = await timed(count, () => ask(requests));
    for (const connection of connections) connection.close();
    return perSecond(measured);
  };

export const trustdJoin = calls(paths.join, joinRequest);
export const trustdCertificate = calls(paths.certificate, certificateRequest);

const SECOND = 1000;

/** Nodes that join within one second, each over a connection of its own: ms until the last one has. */
export const trustdHerd: Workload = async (task) => {
  const { count, warmup = 0 } = task;
  const { dialFrom, token } = await targetOf(task);
  const one = async (request: Uint8Array, from: string) => {
    const connection = await open(dialFrom(from));
    await granted(connection, paths.join, token, request);
    connection.close();
  };
  const early = await prepared(warmup, 0, joinRequest);
  await each(CONNECTIONS, warmup, (i) => one(early[i]!, addresses.warmup));
  const requests = await prepared(count, warmup, joinRequest);
  const { elapsedMs } = await timed(count, () =>
    Promise.all(
      requests.map(async (request, i) => {
        await sleep((i * SECOND) / count);
        await one(request, addresses.good);
      }),
    ),
  );
  return elapsedMs;
};

const FLOOD_CONNECTIONS = 50;
const FLOOD_CALLS_PER_SECOND = 2000;
/** So much else is going on: a good call each 20 ms. */
const GOOD_EVERY_MS = 20;

/** By how much the calls of a node take longer while another one is refused all the time. */
const underFlood =
  (rank: number): Workload =>
  async (task) => {
    const { count, warmup = 0 } = task;
    const { dialFrom, token } = await targetOf(task);
    const connection = await open(dialFrom(addresses.good));
    const requests = await prepared(warmup + 2 * count, 0, joinRequest);
    const measure = async (some: readonly Uint8Array[]) =>
      at(rank, await latencies(connection, token, some));
    await measure(requests.slice(0, warmup));
    const quiet = await measure(requests.slice(warmup, warmup + count));
    const flood = startFlood(dialFrom(addresses.bad));
    await flood.started;
    const flooded = await measure(requests.slice(warmup + count));
    const { perSecond: rate } = await flood.stop();
    connection.close();
    if (rate < 0.95 * FLOOD_CALLS_PER_SECOND)
      throw new Error(`only ${rate.toFixed(0)} calls a second were refused`);
    return flooded / quiet;
  };

export const trustdFloodMedian = underFlood(0.5);
export const trustdFloodP95 = underFlood(0.95);

async function latencies(connection: Connection, token: string, requests: readonly Uint8Array[]) {
  const taken: Promise<number>[] = [];
  for (const request of requests) {
    taken.push(latencyOf(() => granted(connection, paths.join, token, request)));
    await sleep(GOOD_EVERY_MS);
  }
  return Promise.all(taken);
}

async function latencyOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const at = (rank: number, values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(rank * values.length)]!;

/** In a thread of its own, or it would be in the way of who measures. */
function startFlood(dial: Dial) {
  const workerData = { dial, connections: FLOOD_CONNECTIONS, perSecond: FLOOD_CALLS_PER_SECOND };
  const worker = new Worker(new URL("./flood.ts", import.meta.url), { workerData });
  const failed = new Promise<never>((_, reject) => worker.once("error", reject));
  failed.catch(() => undefined);
  const said = <T>() => new Promise<T>((resolve) => worker.once("message", resolve));
  return {
    started: Promise.race([said<undefined>(), failed]),
    async stop(): Promise<{ readonly perSecond: number }> {
      const report = Promise.race([said<{ perSecond: number }>(), failed]);
      worker.postMessage("stop");
      return report;
    },
  };
}

const REFUSALS_FIRST = 20;

/** How many handshakes a second a peer gets done that was refused twenty times. */
export const trustdHandshakes: Workload = async (task) => {
  const { count, inFlight = 1 } = task;
  const { dialFrom } = await targetOf(task);
  const dial = dialFrom(addresses.bad);
  const connection = await open(dial);
  const request = await joinRequest(0);
  for (let i = 0; i < REFUSALS_FIRST; i++)
    await connection.call(paths.join, "aaaaaa.aaaaaaaaaaaaaaaa", request);
  connection.close();
  const done: number[] = [];
  await timed(count, () =>
    each(inFlight, count, async () => {
      const next = await open(dial).catch(() => undefined);
      if (next === undefined) return;
      done.push(performance.now());
      next.close();
    }),
  );
  // What it had left at once is gone by the middle.
  const late = done.slice(Math.floor(done.length / 2));
  return ((late.length - 1) * SECOND) / (late.at(-1)! - late[0]!);
};
