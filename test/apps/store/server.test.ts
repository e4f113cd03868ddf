/** The bare server on a file: who reads slowly, and who comes back after a restart. */
import { credentials } from "@grpc/grpc-js";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { at, defineResource, manualClock, silentLogger } from "#runtime";
import { EventType, StateClient, type Event, type WatchResponse } from "#runtime/rpc";
import { openRemoteStore } from "#runtime/store/remote";
import { startStoreServer, type StoreLocation } from "../../../src/apps/store/index.ts";

const Note = defineResource({
  type: "Notes.test.example.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
});

let directory: string;
let address: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tp-store-"));
  address = `unix:${join(directory, "s")}`;
});
afterEach(() => rm(directory, { recursive: true }));

const file = (): StoreLocation => ({ kind: "sqlite", file: join(directory, "state.db") });
const start = (location: StoreLocation, pendingBytesMax?: number) =>
  startStoreServer({
    location,
    address: { path: join(directory, "s") },
    log: silentLogger,
    ...(pendingBytesMax !== undefined && { pendingBytesMax }),
  });

/** A watch that is read only when it is told to. */
async function slowWatch() {
  const client = new StateClient(address, credentials.createInsecure());
  const stream = client.watch({
    ...{ namespace: Note.namespace, type: Note.type, id: undefined, apiVersion: 1 },
    options: undefined,
  });
  const messages = stream[Symbol.asyncIterator]() as AsyncIterator<WatchResponse, undefined>;
  await messages.next(); // it is armed
  return {
    /** Reads until an event is the last. */
    async until(isLast: (event: Event) => boolean): Promise<Event[]> {
      const seen: Event[] = [];
      for (;;) {
        const { value } = await messages.next();
        if (value === undefined) throw new Error(`it ended after ${seen.length} events`);
        seen.push(...value.event);
        if (value.event.some(isLast)) return seen;
      }
    },
    [Symbol.dispose]() {
      stream.on("error", () => undefined).cancel();
      client.close();
    },
  };
}

const BUDGET_BYTES = 1_000_000;
const TEXT = "x".repeat(100_000);
const COUNT = 150;
const idOf = ({ resource }: Event) => resource?.metadata?.id;
const ids = Array.from({ length: COUNT }, (_, i) => `n${String(i).padStart(3, "0")}`);

test("a watcher that falls behind on a file misses nothing, and no writer waits for it", async () => {
  await using server = await start(file(), BUDGET_BYTES);
  using watch = await slowWatch();
  await using writer = openRemoteStore({ address, kinds: [Note] });
  for (const id of ids) await writer.create(Note, id, { text: TEXT });
  expect(await server.store.list(Note)).toHaveLength(COUNT);
  const seen = await watch.until((event) => idOf(event) === ids.at(-1));
  expect(seen.map(idOf)).toEqual(ids);
  await writer.create(Note, "after", { text: "" });
  expect((await watch.until((event) => idOf(event) === "after")).map(idOf)).toEqual(["after"]);
});

test("a watcher that falls behind in memory is told so at last, and no writer waits for it", async () => {
  await using server = await start({ kind: "memory" }, BUDGET_BYTES);
  using watch = await slowWatch();
  await using writer = openRemoteStore({ address, kinds: [Note] });
  for (const id of ids) await writer.create(Note, id, { text: TEXT });
  expect(await server.store.list(Note)).toHaveLength(COUNT);
  const seen = await watch.until(({ eventType }) => eventType === EventType.ERRORED);
  const told = seen.slice(0, -1).map(idOf);
  expect(told).toEqual(ids.slice(0, told.length));
  expect(told.length).toBeLessThan(COUNT);
  expect(seen.at(-1)?.error).toMatch(/more than 1000000 bytes of events behind; list again/);
});

test("a store of ours goes on with its watches when a server on a file was started again", async () => {
  const clock = manualClock(at("2030-01-01"));
  let server = await start(file());
  await using store = openRemoteStore({ address, kinds: [Note], clock });
  const seen: string[] = [];
  store.watchKind(Note, { bootstrapContents: true }).subscribe((event) => {
    seen.push("resource" in event ? `${event.type} ${event.resource.metadata.id}` : event.type);
  });
  await store.create(Note, "a", { text: "" });
  for (const id of ["b", "c"]) {
    await server.close();
    server = await start(file());
    // Somebody else writes before the watch is there again.
    await using other = openRemoteStore({ address, kinds: [Note] });
    await other.create(Note, id, { text: "" });
    while (!seen.includes(`created ${id}`)) {
      const alarm = clock.nextAlarm();
      if (alarm !== undefined) clock.advanceTo(alarm);
      await new Promise(setImmediate);
    }
  }
  expect(seen).toEqual(["bootstrapped", "created a", "created b", "created c"]);
  await server.close();
});
