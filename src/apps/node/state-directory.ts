/** The state directory: the database, the node's id, and what stands beside them. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Identity, kinds, namespaces, TimeStatus } from "#resources";
import { type Clock, ControllerStatus, type Random } from "#runtime";
import { registerKinds } from "#runtime/engine";
import { openSqliteStore, type SqliteStore } from "#runtime/store";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** 44 letters and digits, each drawn without bias. */
function nodeId(random: Random): string {
  let id = "";
  while (id.length < 44) {
    const [byte = 255] = random.bytes(1);
    if (byte < 252) id += ALPHABET.charAt(byte % 36);
  }
  return id;
}

/**
 * Opens a state directory, making it where there is none, and gives it an id for good.
 *
 * @throws {StoreFileError} when another process has it, or its database cannot be used
 */
export async function openStateDirectory(
  path: string,
  { clock, random }: { clock: Clock; random: Random },
): Promise<SqliteStore> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const store = await openSqliteStore({ path: join(path, "state.db"), clock, random });
  try {
    await registerKinds(store, [...kinds, ControllerStatus], namespaces);
    if (!(await store.get(Identity, "local"))) {
      await store.create(Identity, "local", { nodeId: nodeId(random) });
    }
    // Whether the clock is right is to be asked anew: it may have stood still meanwhile.
    const time = await store.get(TimeStatus, "node");
    if (time) await store.destroy(time.metadata, { owner: time.metadata.owner });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
