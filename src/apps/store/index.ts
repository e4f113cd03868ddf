/** The bare server: a store over gRPC, without TLS and without a node around it. */
import { systemClock, type Logger } from "#runtime";
import { openRpcServer, stateHandlers } from "#runtime/rpc/http2";
import { openMemoryStore, openSqliteStore, type Store } from "#runtime/store";
import type { StoreAddress, StoreLocation } from "./address.ts";
import { listenOn } from "./listen.ts";
import { checkWithoutSecrets } from "./secrets.ts";

export { readAddress, readLocation } from "./address.ts";
export type { StoreAddress, StoreLocation } from "./address.ts";
export {
  SensitiveStoreError,
  StoreAddressError,
  StoreListenError,
  StoreLocationError,
} from "./errors.ts";

/** Options of {@link startStoreServer}. */
export interface StoreServerOptions {
  readonly location: StoreLocation;
  readonly address: StoreAddress;
  readonly log: Logger;
  /** How many bytes of events may wait for a caller of Watch. Default 64 MiB. */
  readonly pendingBytesMax?: number;
}

/** A running server. */
export interface StoreServer extends AsyncDisposable {
  /** As clients name it: `unix:PATH`, or host and port. */
  readonly address: string;
  readonly store: Store;
  /** Ends calls and connections, then closes the store. */
  close(): Promise<void>;
}

/**
 * Opens a store and serves it: kinds are not known, so specs are stored as they come.
 *
 * @throws {SensitiveStoreError} {@link StoreListenError} {@link StoreFileError}
 */
export async function startStoreServer(options: StoreServerOptions): Promise<StoreServer> {
  const { location, log, pendingBytesMax } = options;
  const store = await openStore(location);
  try {
    const handlers = stateHandlers({
      core: store.core,
      kindOf: () => undefined,
      acceptUnknown: true,
      resumesFromLog: location.kind === "sqlite",
      log,
      ...(pendingBytesMax !== undefined && { pendingBytesMax }),
    });
    const server = openRpcServer({ handlers, clock: systemClock, log });
    const address = await listenOn(server, options.address);
    const close = async () => {
      await server.close();
      await store.close();
    };
    return { address, store, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openStore(location: StoreLocation): Promise<Store> {
  if (location.kind === "memory") return openMemoryStore();
  const store = await openSqliteStore({ path: location.file });
  try {
    await checkWithoutSecrets(store.core, location.file);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
