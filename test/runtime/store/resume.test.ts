/** A watch that does not end: what was missed comes as a difference. */
import { afterEach, expect, test } from "vitest";
import type { Subscription } from "rxjs";
import { at, manualClock, pointerTo, seconds, WatchOverrunError } from "#runtime";
import { openMemoryStore, resume, storeOver, type WatchEvent } from "#runtime/store";
import { FlakyCore } from "../engine/flaky-core.ts";
import { Int } from "../engine/toys.ts";

const START = at("2030-01-01");
let following: Subscription | undefined;
afterEach(() => following?.unsubscribe());

function open(query?: Parameters<typeof resume>[2]) {
  const clock = manualClock(START);
  const inner = openMemoryStore({ clock });
  const core = new FlakyCore(inner.core);
  const batches: string[][] = [];
  following = resume(core, Int, { clock, ...query }).subscribe((events) =>
    batches.push(events.map(line)),
  );
  return { clock, store: storeOver(inner.core), core, batches };
}

const line = (event: WatchEvent): string => {
  if (!("resource" in event)) return event.type;
  const was = event.type === "updated" ? ` was ${event.old.metadata.version}` : "";
  return `${event.type} ${event.resource.metadata.id}@${event.resource.metadata.version}${was}`;
};

/** Lets what is queued run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Breaks the watch so often that it pauses; what happens until then is missed. */
async function breakAway(core: FlakyCore): Promise<void> {
  for (let i = 0; i < 4; i++) {
    core.failWatches(new WatchOverrunError("buffer overrun"));
    await turn();
  }
}

test("begins with what is there, and goes on with what comes", async () => {
  const { store, batches } = open();
  await store.create(Int, "a", { value: 1 });
  await store.modify(Int, "a", (int) => void (int.value = 2));
  expect(batches).toEqual([["bootstrapped"], ["created a@1"], ["updated a@2 was 1"]]);
});

test("what is there is told sorted, with the mark after it", async () => {
  const clock = manualClock(START);
  const store = openMemoryStore({ clock });
  for (const id of ["b", "a"]) await store.create(Int, id, { value: 1 });
  const batches: string[][] = [];
  following = resume(store.core, Int).subscribe((events) => batches.push(events.map(line)));
  expect(batches).toEqual([["created a@1", "created b@1", "bootstrapped"]]);
});

test("a watch that errs is opened again, without a word where nothing happened", async () => {
  const { store, core, batches } = open();
  await store.create(Int, "a", { value: 1 });
  core.failWatches(new WatchOverrunError("buffer overrun"));
  await turn();
  core.endWatches();
  await turn();
  expect(core.watched).toHaveLength(3);
  await store.create(Int, "b", { value: 1 });
  expect(batches).toEqual([["bootstrapped"], ["created a@1"], ["created b@1"]]);
});

test("what was missed comes as a difference, also what was destroyed and created anew", async () => {
  const { clock, store, core, batches } = open();
  for (const id of ["anew", "changed", "gone", "same"]) await store.create(Int, id, { value: 1 });
  await store.modify(Int, "anew", (int) => void (int.value = 2));
  await breakAway(core);
  batches.length = 0;
  await store.destroy(pointerTo(Int, "gone"));
  await store.destroy(pointerTo(Int, "anew"));
  clock.advanceTo(at("2030-01-01T00:00:00.100Z"));
  await store.create(Int, "anew", { value: 3 });
  await store.modify(Int, "changed", (int) => void (int.value = 2));
  await store.modify(Int, "changed", (int) => void (int.value = 3));
  await store.create(Int, "new", { value: 1 });
  expect(batches).toEqual([]);
  clock.advanceTo(at("2030-01-01T00:01:00Z"));
  expect(batches).toEqual([
    [
      "destroyed anew@2",
      "destroyed gone@1",
      "created anew@1",
      "updated changed@3 was 1",
      "created new@1",
    ],
  ]);
  await store.modify(Int, "same", (int) => void (int.value = 2));
  expect(batches.slice(1)).toEqual([["updated same@2 was 1"]]);
});

test("a query holds for the difference too: what left it is destroyed", async () => {
  const labels = [[{ key: "in", op: "exists" as const }]];
  const { clock, store, core, batches } = open({ query: { labels } });
  await store.create(Int, "a", { value: 1 }, { labels: { in: "" } });
  await store.create(Int, "b", { value: 1 });
  await breakAway(core);
  batches.length = 0;
  await store.modifyMetadata(pointerTo(Int, "a"), (draft) => void (draft.labels = {}));
  await store.modifyMetadata(pointerTo(Int, "b"), (draft) => void (draft.labels = { in: "" }));
  clock.advanceTo(at("2030-01-01T00:01:00Z"));
  expect(batches).toEqual([["destroyed a@1", "created b@2"]]);
});

test("a watch that breaks again and again is opened less and less often", async () => {
  const { clock, core } = open();
  for (let i = 0; i < 100; i++) {
    core.failWatches(new WatchOverrunError("buffer overrun"));
    await turn();
    const next = clock.nextAlarm();
    if (next !== undefined && i > 20) expect(next - clock.now()).toBeGreaterThan(seconds(1));
    if (next !== undefined) clock.advanceTo(next);
    clock.stepTo(clock.now());
  }
  expect(core.watched.length).toBeLessThan(102);
});

test("it ends with the store", async () => {
  const store = openMemoryStore({ clock: manualClock(START) });
  let ended = false;
  following = resume(store.core, Int).subscribe({ complete: () => (ended = true) });
  await store.close();
  await turn();
  expect(ended).toBe(true);
});

test("it ends when nobody listens any more", async () => {
  const { core } = open();
  following?.unsubscribe();
  core.endWatches();
  await turn();
  expect(core.watched).toHaveLength(1);
});
