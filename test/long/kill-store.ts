/** `kill -9` at any moment under a writing load: what was acknowledged is there, nothing is half there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { firstValueFrom } from "rxjs";
import { type Bookmark, openSqliteStore, type SqliteStore } from "#runtime/store";
import { type LongCase, seeded } from "./case.ts";
import { checkSets, Count, Half } from "./sets.ts";

const WRITERS = 8;
/** Starting takes about as long; so some are killed while they open the file. */
const LIFE_MS_MAX = 400;

export const killStore: LongCase = {
  name: "kill-store",
  async run({ ci, scratch }) {
    const rounds = ci ? 30 : 200;
    const seed = Number(process.env.TRUSTPLANE_SEED ?? 7);
    const random = seeded(seed);
    const path = join(scratch, "state.db");
    let known = new Map<string, number>();
    let past = await look(path, known);
    let killedAtWork = 0;
    for (let round = 1; round <= rounds; round++) {
      const acknowledged = await writeUntilKilled(path, random() * LIFE_MS_MAX, round % 4 !== 0);
      if (acknowledged.size > 0) killedAtWork++;
      try {
        past = await look(path, new Map([...known, ...acknowledged]), past);
        known = past.there;
      } catch (cause) {
        throw new Error(`after kill ${String(round)}, seed ${String(seed)}`, { cause });
      }
    }
    const commits = [...known.values()].reduce((sum, number) => sum + number, 0);
    return (
      `${String(rounds)} kills, ${String(killedAtWork)} of them at work, ` +
      `${String(commits)} commits of 3 to 5 writes, seed ${String(seed)}`
    );
  },
};

/** Runs a writer and kills it after a while, counted from its start or its first commit. */
async function writeUntilKilled(
  path: string,
  lifeMs: number,
  atWork: boolean,
): Promise<Map<string, number>> {
  const writer = join(import.meta.dirname, "store-writer.ts");
  const child = spawn(
    process.execPath,
    ["--conditions=trustplane-src", writer, path, String(WRITERS)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const acknowledged = new Map<string, number>();
  const lines = createInterface(child.stdout);
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]);
  const working = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      const [name = "", number] = line.split(" ");
      acknowledged.set(name, Number(number));
      resolve();
    });
  });
  if (atWork) await Promise.race([working, ended]);
  await delay(lifeMs);
  child.kill("SIGKILL");
  await ended;
  if (child.signalCode !== "SIGKILL")
    throw new Error(`the writer ended by itself with ${String(child.exitCode)}`);
  return acknowledged;
}

/** What was seen of a store, and a bookmark of that moment. */
interface Past {
  readonly there: Map<string, number>;
  readonly halves: ReadonlySet<string>;
  readonly bookmark: Bookmark;
}

/** Opens the store and checks it; what happened since the last time has to lead to what is there. */
async function look(
  path: string,
  acknowledged: ReadonlyMap<string, number>,
  past?: Past,
): Promise<Past> {
  await using store = await openSqliteStore({ path, kinds: [Half, Count], eventLog: 100_000 });
  const damaged = store.damagedRows();
  if (damaged.length > 0) throw new Error(`damaged: ${JSON.stringify(damaged)}`);
  const there = await checkSets(store, acknowledged);
  const halves = new Set((await store.list(Half)).map(({ metadata }) => metadata.id));
  if (past !== undefined) {
    const replayed = replay(store, past);
    const differ = [...halves].filter((id) => !replayed.has(id));
    if (differ.length > 0 || replayed.size !== halves.size)
      throw new Error(`the events do not add up: ${differ.join(", ")}`);
  }
  const noop = await firstValueFrom(store.watchKind(Half, { bootstrapBookmark: true }));
  if (noop.type !== "noop") throw new Error(`a watch begins with ${noop.type}`);
  return { there, halves, bookmark: noop.bookmark };
}

function replay(store: SqliteStore, { halves, bookmark }: Past): Set<string> {
  const ids = new Set(halves);
  let failure: Error | undefined;
  const watch = store.watchKind(Half, { startFromBookmark: bookmark }).subscribe((event) => {
    if (event.type === "errored") failure = event.error;
    if (event.type === "created") ids.add(event.resource.metadata.id);
    if (event.type === "destroyed") ids.delete(event.resource.metadata.id);
  });
  watch.unsubscribe();
  if (failure !== undefined) throw failure;
  return ids;
}
