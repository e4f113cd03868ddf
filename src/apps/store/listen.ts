/** A place to listen: a socket of mode 0600, or a port of the loopback interface. */
import { chmodSync, existsSync, lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { RpcServer } from "#runtime/rpc/http2";
import { StoreListenError } from "./errors.ts";
import type { StoreAddress } from "./address.ts";

const MODE = 0o600;

/** What the system says, and what helps. */
const problems: Readonly<Record<string, readonly [problem: string, hint?: string]>> = {
  EADDRINUSE: ["it is in use", "stop what listens there, or name another address"],
  EACCES: ["permission denied", "name a place where this user may make files, or another port"],
  EINVAL: ["the path is too long for a socket", "name a shorter one, of at most 100 bytes"],
};

/**
 * Lets a server listen.
 *
 * @returns the address as clients name it
 * @throws {StoreListenError}
 */
export async function listenOn(server: RpcServer, address: StoreAddress): Promise<string> {
  const name = "path" in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
  try {
    if (!("path" in address)) {
      await server.listen({ ...address, exclusive: true });
      return `${address.host}:${server.port ?? address.port}`;
    }
    await clearAway(address.path);
    await listenPrivately(server, address.path);
    return name;
  } catch (error) {
    if (error instanceof StoreListenError) throw error;
    const { code = "", message } = error as NodeJS.ErrnoException;
    const [problem, hint] = problems[code] ?? [message];
    throw new StoreListenError(`cannot listen on ${name}: ${problem}`, { cause: error, hint });
  }
}

/** The socket is made while the call runs; it has its mode before anybody can connect. */
async function listenPrivately(server: RpcServer, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    const listening = server.listen({ path });
    process.umask(before);
    await listening;
    chmodSync(path, MODE);
  } finally {
    process.umask(before);
  }
}

/** A socket that nobody listens on any longer is left over from a server that was killed. */
async function clearAway(path: string): Promise<void> {
  if (!existsSync(dirname(path)))
    throw new StoreListenError(`cannot listen on unix:${path}: its directory does not exist`, {
      hint: `make it, for this user alone: mkdir -m 700 ${dirname(path)}`,
    });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new StoreListenError(`cannot listen on unix:${path}: there is a file that is no socket`, {
      hint: "name another path, or move the file away",
    });
  if (!(await isServed(path))) unlinkSync(path);
}

const isServed = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
