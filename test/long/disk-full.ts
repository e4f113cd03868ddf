/** A disk that fills up: every acknowledged write is there, none is half there, the error is named. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defineResource, StoreFileError } from "#runtime";
import { openSqliteStore } from "#runtime/store";
import { z } from "zod";
import { type LongCase, SkipError } from "./case.ts";
import { execute } from "./node.ts";

const Note = defineResource({
  type: "Notes.test.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
});

export const diskFull: LongCase = {
  name: "disk-full",
  async run({ scratch }) {
    const disk = join(scratch, "disk");
    await mkdir(disk);
    await execute("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).catch(() => {
      throw new SkipError("needs the right to mount a tmpfs");
    });
    try {
      return await fill(disk);
    } finally {
      await execute("umount", [disk]);
    }
  },
};

async function fill(disk: string): Promise<string> {
  const path = join(disk, "state.db");
  const ballast = join(disk, "ballast");
  await writeFile(ballast, Buffer.alloc(5 * 1024 * 1024));
  const acknowledged: string[] = [];
  const text = "x".repeat(20_000);
  {
    await using store = await openSqliteStore({ path });
    let refused: unknown;
    for (let i = 0; refused === undefined && i < 1000; i++) {
      const id = `note-${String(i).padStart(4, "0")}`;
      await store.create(Note, id, { text }).then(
        () => acknowledged.push(id),
        (error: unknown) => (refused = error),
      );
    }
    if (!(refused instanceof StoreFileError) || refused.code !== "ERR_STORE_FULL") {
      throw new Error(`wanted ERR_STORE_FULL, got ${String(refused)}`, { cause: refused });
    }
    await same(store, acknowledged, "while the disk is full");
    await rm(ballast);
    await store.create(Note, "room-again", { text });
    acknowledged.push("room-again");
  }
  await using reopened = await openSqliteStore({ path });
  await same(reopened, acknowledged, "after a restart");
  return `${String(acknowledged.length)} acknowledged writes kept, usable again with room`;
}

async function same(
  store: Awaited<ReturnType<typeof openSqliteStore>>,
  ids: readonly string[],
  when: string,
): Promise<void> {
  const there = (await store.list(Note)).map(({ metadata }) => metadata.id);
  if (JSON.stringify(there) !== JSON.stringify([...ids].sort())) {
    throw new Error(`${when}: ${String(there.length)} notes, ${String(ids.length)} acknowledged`);
  }
}
