/** Stores behind servers of their own, on sockets in a directory that goes with them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock, type AnyResourceType, type Clock } from "#runtime";
import { openRpcServer, stateHandlers } from "#runtime/rpc/http2";
import { openMemoryStore, type Store } from "#runtime/store";
import { openRemoteStore } from "#runtime/store/remote";
import { Other, Path } from "../../../src/runtime/conformance/store/suite.ts";

/** Serves a store at a socket. */
export async function serveAt(path: string, { core }: Store) {
  const handlers = stateHandlers({
    core,
    kindOf: () => undefined,
    acceptUnknown: true,
    log: silentLogger,
  });
  const server = openRpcServer({ handlers, clock: systemClock, log: silentLogger });
  await server.listen({ path });
  return server;
}

/** A directory for sockets, whose paths have to be short. */
export async function temporaryDirectory() {
  const directory = await mkdtemp(join(tmpdir(), "tp-remote-"));
  return {
    path: (name: string) => join(directory, name),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** Opens empty stores, each behind a server of its own, and ends all of them. */
export function openBehindServer(kinds: readonly AnyResourceType[] = [Path, Other]) {
  const stack = new AsyncDisposableStack();
  return {
    open: async (options?: { readonly clock?: Clock }): Promise<Store> => {
      const path = stack.use(await temporaryDirectory()).path("s");
      const store = stack.use(openMemoryStore(options));
      stack.use(await serveAt(path, store));
      return stack.use(openRemoteStore({ address: `unix:${path}`, kinds }));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
