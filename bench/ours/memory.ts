/** How many bytes of the heap one resource of a store in memory takes. */
import { openMemoryStore } from "#runtime/store";
import type { Task } from "../size.ts";
import { Note, noteId, noteSpec } from "./note.ts";
import { collectGarbage } from "./timed.ts";

export async function memory({ count }: Task): Promise<number> {
  await using store = openMemoryStore();
  const before = heap();
  for (let i = 0; i < count; i++) await store.create(Note, noteId(i), noteSpec(i));
  return (heap() - before) / count;
}

/** What lives, on the heap of JavaScript and outside of it. */
function heap(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
