/** Options that nobody would call wrong, and that a store has to take as they are meant. */
import { expect, test } from "vitest";
import { openMemoryStore } from "#runtime/store";
import { Int } from "../engine/toys.ts";

test("an event log of none remembers no event for long", async () => {
  await using store = openMemoryStore({ eventLog: 0 });
  for (let i = 0; i < 50; i++) await store.create(Int, `i${i}`, { value: i });
  const seen: string[] = [];
  store.watchKind(Int, { tailEvents: 100 }).subscribe(({ type }) => void seen.push(type));
  expect(seen).toEqual([]);
});

test("a regular expression that goes on from where it was finds all the same", async () => {
  await using store = openMemoryStore();
  const ids = ["a1", "a2", "a3", "a4"];
  for (const id of ids) await store.create(Int, id, { value: 1 });
  for (const id of [/a\d/g, /a\d/y])
    expect((await store.list(Int, { id })).map(({ metadata }) => metadata.id)).toEqual(ids);
});
