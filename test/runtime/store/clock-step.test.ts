/** When the clock is set, a watch that pauses does not wait for an instant that may be years away. */
import { expect, test, vi } from "vitest";
import { at, defineResource, hours, instantOf, manualClock, minutes } from "#runtime";
import { openMemoryStore, resume } from "#runtime/store";
import { openRemoteStore } from "#runtime/store/remote";
import { z } from "zod";
import { FlakyCore } from "../engine/flaky-core.ts";
import { serveAt, temporaryDirectory } from "./remote-server.ts";

const Note = defineResource({
  type: "Notes.test.example.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
});
const START = at("2030-01-01");

test("one that lists again", async () => {
  const clock = manualClock(START);
  await using store = openMemoryStore({ clock });
  const core = new FlakyCore(store.core);
  const seen: string[] = [];
  const watch = resume(core, Note, { clock }).subscribe((events) => {
    for (const event of events) if (event.type === "created") seen.push(event.resource.metadata.id);
  });
  for (let i = 0; i < 4; i++) {
    core.endWatches();
    await Promise.resolve();
  }
  await store.create(Note, "a", { text: "" });
  expect(seen).toEqual([]); // it pauses
  clock.stepTo(instantOf(START - hours(1000)));
  clock.advanceTo(instantOf(clock.now() + minutes(5)));
  expect(seen).toEqual(["a"]);
  watch.unsubscribe();
  expect(clock.nextAlarm()).toBeUndefined();
});

test("one that has lost its server", async () => {
  await using folder = await temporaryDirectory();
  await using store = openMemoryStore();
  const clock = manualClock(START);
  const first = await serveAt(folder.path("s"), store);
  await using remote = openRemoteStore({
    address: `unix:${folder.path("s")}`,
    kinds: [Note],
    clock,
  });
  const seen: string[] = [];
  remote.watchKind(Note, { bootstrapContents: true }).subscribe((event) => {
    seen.push(event.type);
  });
  await vi.waitFor(() => expect(seen).toEqual(["bootstrapped"]));
  await first.close();
  await vi.waitFor(() => expect(clock.nextAlarm()).toBeDefined());
  clock.stepTo(instantOf(START - hours(1000)));
  await using second = await serveAt(folder.path("s"), store);
  await vi.waitFor(() => {
    clock.advanceTo(instantOf(clock.now() + minutes(1)));
    expect(second.calls).toBe(1);
  });
});
