/** A disk that fills up: every acknowledged write is there, none is half there, the error is named. */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreFileError } from "#runtime";
import { openSqliteStore } from "#runtime/store";
import { type LongCase, SkipError } from "./case.ts";
import { execute } from "./node.ts";
import { checkSets, commitOf, Count, Half } from "./sets.ts";

const WRITERS = 4;
const ROUNDS = 3;
const MEBIBYTE = 1024 * 1024;

/** A place where no more than some mebibytes can be written, until there is room. */
interface Disk extends AsyncDisposable {
  readonly path: string;
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
}

export const diskFull: LongCase = {
  name: "disk-full",
  async run({ scratch }) {
    const done: string[] = [];
    const refused: string[] = [];
    for (const [name, make] of Object.entries({ tmpfs, "file size limit": fileSizeLimit })) {
      const path = join(scratch, name.replaceAll(" ", "-"));
      await mkdir(path);
      try {
        await using disk = await make(path);
        done.push(`${name}: ${await fillUp(disk)}`);
      } catch (error) {
        if (!(error instanceof SkipError)) throw error;
        refused.push(error.message);
      }
    }
    if (done.length === 0) throw new SkipError(refused.join("; "));
    return [...done, ...refused.map((reason) => `not tried: ${reason}`)].join("; ");
  },
};

async function tmpfs(path: string): Promise<Disk> {
  await execute("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path]).catch(() => {
    throw new SkipError("a tmpfs needs the right to mount one");
  });
  const ballast = join(path, "ballast");
  const put = () => writeFile(ballast, Buffer.alloc(5 * MEBIBYTE));
  await put();
  return {
    path,
    fill: () => put().catch(() => undefined), // up to the last byte
    makeRoom: () => rm(ballast),
    [Symbol.asyncDispose]: async () => {
      await execute("umount", [path]);
    },
  };
}

/** The limit is this process's own, and is taken back. */
async function fileSizeLimit(path: string): Promise<Disk> {
  const limit = (size: string) =>
    execute("prlimit", ["--pid", String(process.pid), `--fsize=${size}:`]).then(() => undefined);
  const fill = () => limit(String(3 * MEBIBYTE));
  const makeRoom = () => limit("unlimited");
  await fill().catch(() => {
    throw new SkipError("a file size limit needs prlimit");
  });
  return { path, fill, makeRoom, [Symbol.asyncDispose]: makeRoom };
}

async function fillUp(disk: Disk): Promise<string> {
  const path = join(disk.path, "state.db");
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    {
      await using store = await openSqliteStore({ path, kinds: [Half, Count] });
      const write = async (writer: string) => {
        for (let tries = 0; tries < 10_000; tries++) {
          const number = (acknowledged.get(writer) ?? 0) + 1;
          await store.core.commit(commitOf(writer, number, "x".repeat(20_000)));
          acknowledged.set(writer, number);
        }
      };
      const writers = Array.from({ length: WRITERS }, (_, i) => `w${String(i)}`);
      for (const end of await Promise.allSettled(writers.map(write))) {
        if (end.status === "fulfilled") throw new Error("the disk is not full");
        named(end.reason);
      }
      const there = await checkSets(store, acknowledged);
      for (const [writer, number] of acknowledged)
        if (there.get(writer) !== number) throw new Error(`${writer}: a refused commit is there`);
      const copy = join(disk.path, "copy.db");
      await store.backup(copy).catch(named);
      await rm(copy, { force: true });
      const left = (await readdir(disk.path)).filter((name) => name.startsWith("copy.db"));
      if (left.length > 0) throw new Error(`the backup left ${left.join(", ")}`);
      await disk.makeRoom();
      await store.core.commit(commitOf(`round-${String(round)}`, 1, ""));
      acknowledged.set(`round-${String(round)}`, 1);
    }
    await using reopened = await openSqliteStore({ path, kinds: [Half, Count] });
    await checkSets(reopened, acknowledged);
    if (reopened.damagedRows().length > 0) throw new Error("rows are damaged");
    await reopened.close();
    if (round === ROUNDS - 1) break;
    await disk.fill();
    // A store that is opened on a full disk is whole, or says why it cannot be opened.
    await openSqliteStore({ path, kinds: [Half, Count] }).then(async (store) => {
      await checkSets(store, acknowledged);
      await store.close();
    }, named);
  }
  const commits = [...acknowledged.values()].reduce((sum, number) => sum + number, 0);
  return `full ${String(ROUNDS)} times, ${String(commits)} commits kept, usable again with room`;
}

/** @throws {Error} for anything but what names the full disk */
function named(error: unknown): void {
  if (!(error instanceof StoreFileError) || error.code !== "ERR_STORE_FULL")
    throw new Error("a full disk is not named as such", { cause: error });
}
