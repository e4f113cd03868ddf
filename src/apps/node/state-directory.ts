/** The state directory: the database, the node's id, and what stands beside them. */
import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ACTIVE, Identity, kinds, MachineConfig, namespaces, TimeStatus } from "#resources";
import {
  type Clock,
  CodedError,
  ControllerStatus,
  pointerTo,
  type Random,
  StoreFileError,
} from "#runtime";
import { Namespace, registerKinds, ResourceDefinition } from "#runtime/engine";
import { DamagedResource, openSqliteStore, type SqliteStore, type Store } from "#runtime/store";

const problems: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  EEXIST: "it is not a directory",
  ENOTDIR: "what it stands in is not a directory",
  ENOENT: "nothing can be made there",
};

/** What clients are told of; the two kinds that tell them register themselves. */
const registered = [...kinds, ControllerStatus, DamagedResource];
/** What is stored is held to the schemas of these. */
export const known = [...registered, Namespace, ResourceDefinition];

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** 44 letters and digits, each drawn without bias. */
function newNodeId(random: Random): string {
  let id = "";
  while (id.length < 44) {
    const [byte = 255] = random.bytes(1);
    if (byte < 252) id += ALPHABET.charAt(byte % 36);
  }
  return id;
}

/** A state directory cannot be made or used. */
export class StateDirectoryError extends CodedError {
  readonly code = "ERR_STATE_DIRECTORY";
}

/** One directory after the other: all at once, Node.js 24 tries for ever below some file systems. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (code !== "ENOENT" || (await isDirectory(dirname(path)))) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

/** Tells whether a node was started there before. */
export const holdsState = (path: string): Promise<boolean> =>
  stat(join(path, "state.db")).then(
    () => true,
    () => false,
  );

/** Makes an open store ready for a start: its kinds are known, and what may be out of date is gone. */
export async function prepareStore(store: Store): Promise<void> {
  await registerKinds(store, registered, namespaces);
  // Whether the clock is right is to be asked anew: it may have stood still meanwhile. Without a
  // configuration that can be read nobody would ask.
  const time = await store.get(TimeStatus, "node");
  if (time && (await store.get(MachineConfig, ACTIVE)))
    await store.destroy(time.metadata, { owner: time.metadata.owner });
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function openDatabase(path: string, world: { clock: Clock; random: Random }) {
  try {
    return await openSqliteStore({ path: join(path, "state.db"), kinds: known, ...world });
  } catch (error) {
    if (!(error instanceof StoreFileError) || error.code !== "ERR_STORE_IN_USE") throw error;
    throw new StateDirectoryError(
      `another node runs on the state directory ${path}: end it, or start this one with another ` +
        "--state-dir and --api-port",
      { cause: error },
    );
  }
}

/**
 * Tells that no node runs there; a database that cannot be used is one of nobody.
 *
 * @throws {StateDirectoryError} when another process has it
 */
export async function refuseInUse(
  path: string,
  world: { readonly clock: Clock; readonly random: Random },
): Promise<void> {
  if (!(await holdsState(path))) return;
  try {
    await (await openDatabase(path, world)).close();
  } catch (error) {
    if (!(error instanceof StoreFileError)) throw error;
  }
}

/** A state directory that is open. */
export interface StateDirectory {
  readonly store: SqliteStore;
  readonly nodeId: string;
}

/**
 * Tells whether a node has run on the store. That the database was there does not say so: a start that
 * ended early leaves one.
 */
const wasUsed = async (store: SqliteStore): Promise<boolean> =>
  store.damagedRows().length > 0 || (await store.list(ControllerStatus)).length > 0;

/**
 * Opens a state directory, making it where there is none, and gives it an id for good. An id that
 * cannot be read any more is taken from what this node has published; a new state directory takes
 * that one only with `adopt`, as it may be of another node.
 *
 * @throws {StateDirectoryError} when it cannot be made, or another process has it
 * @throws {StoreFileError} when its database cannot be used
 */
export async function openStateDirectory(
  path: string,
  {
    clock,
    random,
    adopt,
    publishedBy,
  }: {
    readonly clock: Clock;
    readonly random: Random;
    readonly adopt: boolean;
    readonly publishedBy: () => Promise<string | undefined>;
  },
): Promise<StateDirectory> {
  await makeDirectory(path).catch((cause: unknown) => {
    const { code = "" } = cause as NodeJS.ErrnoException;
    throw new StateDirectoryError(
      `cannot make the state directory ${path}: ${problems[code] ?? code}; name another with --state-dir`,
      { cause },
    );
  });
  const store = await openDatabase(path, { clock, random });
  try {
    await prepareStore(store);
    const held = (await store.get(Identity, "local"))?.spec.nodeId;
    if (held !== undefined) return { store, nodeId: held };
    const published = adopt || (await wasUsed(store)) ? await publishedBy() : undefined;
    const nodeId = published ?? newNodeId(random);
    await store.discardDamaged(pointerTo(Identity, "local"));
    await store.create(Identity, "local", { nodeId });
    return { store, nodeId };
  } catch (error) {
    await store.close();
    throw error;
  }
}
