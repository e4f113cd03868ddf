/** Thousands of connections in a row, good ones and bad ones: nothing of them is left on the node. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect as dial } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as dialTls, type ConnectionOptions } from "node:tls";
import { readTalosconfig } from "#config";
import { readCertificate } from "#pki";
import { hours, systemClock } from "#runtime";
import { opensslKey } from "../../src/apps/rpc/openssl-key.ts";
import { connect } from "../../src/apps/client/index.ts";
import { type LongCase, SkipError } from "./case.ts";
import { freePort, type RunningNode, startNode } from "./node.ts";

/** How many are open at a time. */
const AT_ONCE = 16;
/** So that what nobody holds is collected, and does not look like a leak. */
const SMALL_HEAP = { NODE_OPTIONS: "--max-old-space-size=64 --max-semi-space-size=2" };
/** What a heap that was collected before and one that was not may differ by. */
const GROWTH_BYTES_MAX = 48 * 2 ** 20;
/** What is closed at the other end is closed here a moment later. */
const PATIENCE_MS = 10_000;

interface Identity {
  readonly ca: string;
  readonly crt: string;
  readonly key: string;
}

export const connections: LongCase = {
  name: "connections",
  async run({ ci, scratch }) {
    if (process.platform !== "linux") throw new SkipError("/proc tells what the node holds");
    const count = ci ? 2_000 : 10_000;
    const stateDir = join(scratch, "node");
    const node = await startNode({ stateDir, port: await freePort(), env: SMALL_HEAP });
    try {
      return await tried(node, await identityOf(stateDir), count);
    } finally {
      node.kill("SIGTERM");
      await node.ended;
    }
  },
};

async function tried({ port, ...node }: RunningNode, admin: Identity, count: number) {
  const pid = node.process.pid ?? 0;
  const other = await anotherAdmin(admin, port);
  await inRow(count / 5, port, admin); // what is made once is made
  const before = await settledHoldings(pid, 0);
  await inRow(count, port, admin);
  const after = await settledHoldings(pid, before.handles);
  const handles = `${String(before.handles)} handles before, ${String(after.handles)} after`;
  assert.ok(after.handles <= before.handles, handles);
  const bytes = `${mebibytes(before.bytes)} MiB before, ${mebibytes(after.bytes)} after`;
  assert.ok(after.bytes - before.bytes < GROWTH_BYTES_MAX, bytes);
  await tableIsEmpty(admin, other, port);
  return `${String(count)} connections; ${handles}; ${bytes}`;
}

const mebibytes = (bytes: number): string => String(Math.round(bytes / 2 ** 20));

async function identityOf(stateDir: string): Promise<Identity> {
  const path = join(stateDir, "talosconfig");
  const { context, contexts } = readTalosconfig(await readFile(path, "utf8"));
  const { ca = "", crt = "", key = "" } = contexts[context] ?? {};
  return { ca, crt, key };
}

const clientOf = (identity: Identity, port: number) =>
  connect({
    ...identity,
    ...{ endpoints: [`127.0.0.1:${String(port)}`], source: "the test", clock: systemClock },
  });

async function anotherAdmin(admin: Identity, port: number): Promise<Identity> {
  await using client = clientOf(admin, port);
  return await client.issueClientConfiguration({ roles: ["os:admin"], lifetime: hours(1) });
}

/** Nobody with this certificate is known to the node any more: none has to go when it is denied. */
async function tableIsEmpty(admin: Identity, other: Identity, port: number): Promise<void> {
  await using client = clientOf(other, port);
  const { fingerprint } = readCertificate(admin.crt);
  const node = "127.0.0.1";
  assert.equal(await client.deny({ fingerprint, reason: "the test is over" }, { node }), 0);
}

/** Each way is a connection from its beginning to its end. */
async function inRow(count: number, port: number, identity: Identity): Promise<void> {
  const tls = {
    ...{ host: "127.0.0.1", port, ca: identity.ca, ALPNProtocols: ["h2"] },
    ...{ cert: identity.crt, key: opensslKey(identity.key) },
  };
  const { cert: _cert, key: _key, ...anonymous } = tls;
  const ways = [
    () => asked(tls),
    () => asked(tls),
    () => asked(tls),
    () => ended(dialTls(tls), (socket) => socket.once("data", () => socket.destroy())),
    () => ended(dialTls(anonymous), (socket) => socket.resume()),
    () => ended(dial(port, "127.0.0.1"), (socket) => socket.resume().end("GET / HTTP/1.1\r\n\r\n")),
    () =>
      ended(dial(port, "127.0.0.1"), (socket) => socket.once("connect", () => socket.destroy())),
  ];
  let next = 0;
  const worker = async () => {
    while (next < count) await ways[next++ % ways.length]?.();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Asks for the version, and leaves. */
async function asked(tls: ConnectionOptions): Promise<void> {
  const session = connectHttp2("https://127.0.0.1", { createConnection: () => dialTls(tls) });
  const stream = session.request({
    ...{ ":method": "POST", ":path": "/machine.MachineService/Version", te: "trailers" },
    "content-type": "application/grpc",
  });
  const status = await new Promise<unknown>((resolve, reject) => {
    for (const one of [session, stream]) one.on("error", reject);
    stream.once("close", () => {
      reject(new Error("the connection ended before the answer"));
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders) => {
      resolve(trailers["grpc-status"]);
    });
    stream.resume().end(Buffer.alloc(5));
  });
  assert.equal(status, "0");
  await new Promise<void>((resolve) => {
    session.close(resolve);
  });
}

/** Resolves when it is closed, by whomever. */
const ended = <Socket extends ReturnType<typeof dial>>(
  socket: Socket,
  use: (socket: Socket) => void,
) =>
  new Promise<void>((resolve) => {
    socket.on("error", () => undefined);
    socket.once("close", () => {
      resolve();
    });
    use(socket);
  });

interface Holdings {
  readonly handles: number;
  readonly bytes: number;
}

async function holdingsOf(pid: number): Promise<Holdings> {
  const handles = (await readdir(`/proc/${String(pid)}/fd`)).length;
  const status = await readFile(`/proc/${String(pid)}/status`, "utf8");
  const [, kibibytes = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(status) ?? [];
  return { handles, bytes: Number(kibibytes) * 1024 };
}

/** Waits until there are so few handles, or, for 0, until they change no more. */
async function settledHoldings(pid: number, wanted: number): Promise<Holdings> {
  const begun = performance.now();
  let last = await holdingsOf(pid);
  for (;;) {
    await delay(500);
    const now = await holdingsOf(pid);
    const isSettled = wanted === 0 ? now.handles === last.handles : now.handles <= wanted;
    if (isSettled || performance.now() - begun > PATIENCE_MS) return now;
    last = now;
  }
}
