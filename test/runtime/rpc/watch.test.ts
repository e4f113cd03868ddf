import { status } from "@grpc/grpc-js";
import { defer, finalize, Observable, Subject } from "rxjs";
import { expect, test } from "vitest";
import { EventType } from "#runtime/rpc";
import type { CoreStore } from "#runtime/store";
import { openBacklog } from "../../../src/runtime/rpc/backlog.ts";
import { Note, openWatch, serveStore } from "./served-store.ts";

const { CREATED, UPDATED, DESTROYED, BOOTSTRAPPED, ERRORED, NOOP } = EventType;

test("a kind: first an empty message, then the contents, BOOTSTRAPPED, and what happens", async () => {
  await using served = await serveStore();
  const { store } = served;
  await store.create(Note, "b", { text: "2" });
  await store.create(Note, "a", { text: "1" });
  const watch = openWatch(served, { options: { bootstrapContents: true } });
  expect(await watch.next()).toEqual([]);
  expect(await watch.next()).toMatchObject([
    { eventType: CREATED, resource: { metadata: { id: "a" } }, old: undefined },
  ]);
  expect(await watch.next()).toMatchObject([{ resource: { metadata: { id: "b" } } }]);
  expect(await watch.next()).toMatchObject([
    { eventType: BOOTSTRAPPED, bookmark: expect.any(Buffer) as Buffer },
  ]);
  await store.modify(Note, "a", (draft) => void (draft.text = "new"));
  expect(await watch.next()).toMatchObject([
    {
      eventType: UPDATED,
      resource: { metadata: { version: "2" }, spec: { yamlSpec: "text: new\n" } },
      old: { metadata: { version: "1" }, spec: { yamlSpec: 'text: "1"\n' } },
      bookmark: expect.any(Buffer) as Buffer,
    },
  ]);
  await store.destroy({ namespace: "test", type: Note.type, id: "a" });
  expect(await watch.next()).toMatchObject([
    {
      eventType: DESTROYED,
      resource: { metadata: { id: "a", version: "2" }, spec: { yamlSpec: "text: new\n" } },
    },
  ]);
});

test("a watch goes on from a bookmark, and refuses one that it never gave", async () => {
  await using served = await serveStore();
  const first = openWatch(served, { options: { bootstrapBookmark: true } });
  await first.next();
  const [noop] = await first.next();
  expect(noop?.eventType).toBe(NOOP);
  await served.store.create(Note, "a", { text: "" });
  const resumed = openWatch(served, { options: { startFromBookmark: noop?.bookmark } });
  expect(await resumed.next()).toEqual([]);
  expect(await resumed.next()).toMatchObject([{ eventType: CREATED }]);
  const foreign = openWatch(served, { options: { startFromBookmark: Buffer.from("none") } });
  expect(await foreign.ended).toMatchObject({ code: status.FAILED_PRECONDITION });
  await expect(foreign.next()).rejects.toThrow(); // setup errors come before the empty message
});

test("one resource: its state first, or a tombstone", async () => {
  await using served = await serveStore();
  const watch = openWatch(served, { id: "a" });
  expect(await watch.next()).toEqual([]);
  expect(await watch.next()).toMatchObject([
    {
      eventType: DESTROYED,
      resource: { metadata: { id: "a", version: "undefined" }, spec: { yamlSpec: "{}\n" } },
    },
  ]);
  await served.store.create(Note, "b", { text: "" }); // concerns nobody
  await served.store.create(Note, "a", { text: "" });
  expect(await watch.next()).toMatchObject([
    { eventType: CREATED, resource: { metadata: { id: "a" } } },
  ]);
});

test("an id that is present but empty still means one resource", async () => {
  await using served = await serveStore();
  const watch = openWatch(served, { id: "" });
  await watch.next();
  expect(await watch.next()).toMatchObject([{ eventType: DESTROYED }]);
});

test.each([
  [{ id: "a", options: { bootstrapContents: true } }, status.UNIMPLEMENTED],
  [{ id: "a", options: { labelQuery: [{ terms: [] }] } }, status.UNIMPLEMENTED],
  [{ id: "a", options: { startFromBookmark: Buffer.from("x") } }, status.UNIMPLEMENTED],
  [{ options: { tailEvents: 1 } }, status.UNIMPLEMENTED],
  [
    { options: { bootstrapContents: true, startFromBookmark: Buffer.from("x") } },
    status.INVALID_ARGUMENT,
  ],
])("%o is refused", async (request, code) => {
  await using served = await serveStore();
  expect(await openWatch(served, request).ended).toMatchObject({ code });
});

test("a client of the first API version sees neither BOOTSTRAPPED nor ERRORED", async () => {
  await using served = await serveStore();
  await served.store.create(Note, "a", { text: "" });
  const watch = openWatch(served, { apiVersion: 0, options: { bootstrapContents: true } });
  await watch.next();
  expect(await watch.next()).toMatchObject([{ eventType: CREATED }]);
  await served.store.create(Note, "b", { text: "" });
  expect(await watch.next()).toMatchObject([
    { eventType: CREATED, resource: { metadata: { id: "b" } } },
  ]);
});

test("an aggregated watch puts its contents in messages of a bounded size", async () => {
  await using served = await serveStore();
  for (let i = 0; i < 5; i++)
    await served.store.create(Note, `${i}`, { text: "x".repeat(300_000) });
  const watch = openWatch(served, { options: { bootstrapContents: true, aggregated: true } });
  await watch.next();
  expect((await watch.next()).map(({ resource }) => resource?.metadata?.id)).toEqual(["0", "1"]);
  expect((await watch.next()).length).toBe(2);
  expect((await watch.next()).map(({ eventType }) => eventType)).toEqual([CREATED, BOOTSTRAPPED]);
});

test("a query lets only its resources through", async () => {
  await using served = await serveStore();
  const watch = openWatch(served, { options: { idQuery: { regexp: "^b" } } });
  await watch.next();
  await served.store.create(Note, "a", { text: "" });
  await served.store.create(Note, "b", { text: "" });
  expect(await watch.next()).toMatchObject([{ resource: { metadata: { id: "b" } } }]);
});

/** A store whose watches tell when somebody subscribes and leaves. */
const observed = (core: CoreStore, happenings: Subject<string>): CoreStore =>
  new Proxy(core, {
    get: (target, name) =>
      name === "watchKind"
        ? (...args: Parameters<CoreStore["watchKind"]>) =>
            defer(() => {
              happenings.next("subscribed");
              return target.watchKind(...args);
            }).pipe(finalize(() => happenings.next("unsubscribed")))
        : (Reflect.get(target, name) as unknown),
  });

test("a caller that cancels is unsubscribed", async () => {
  const happenings = new Subject<string>();
  const left = new Promise<void>((resolve) => {
    happenings.subscribe((what) => {
      if (what === "unsubscribed") resolve();
    });
  });
  await using plain = await serveStore();
  await using served = await serveStore({ core: observed(plain.store.core, happenings) });
  const watch = openWatch(served);
  await watch.next();
  watch.stream.cancel();
  await left;
  expect(await watch.ended).toMatchObject({ code: status.CANCELLED });
});

test("a caller that does not read gets an ERRORED event, and the contents do not count", async () => {
  await using served = await serveStore({ liveEventsMax: 3 });
  const { store } = served;
  const text = "x".repeat(1_000_000);
  for (let i = 0; i < 20; i++) await store.create(Note, `c${i}`, { text });
  const watch = openWatch(served, { options: { bootstrapContents: true } });
  await watch.next();
  watch.stream.pause();
  for (let i = 0; i < 9; i++) await store.create(Note, `l${i}`, { text });
  watch.stream.resume();
  const types: number[] = [];
  while (types.at(-1) !== ERRORED) types.push(...(await watch.next()).map((e) => e.eventType));
  expect(types.indexOf(BOOTSTRAPPED)).toBe(20);
  expect(types.slice(21)).toEqual([CREATED, CREATED, CREATED, ERRORED]);
  expect(await watch.ended).toBeUndefined();
});

test("an error that the source completes with comes after its last event", async () => {
  const source = new Observable<readonly { type: "noop"; bookmark: Uint8Array }[]>((subscriber) => {
    subscriber.next([{ type: "noop", bookmark: new Uint8Array() }]);
    subscriber.error(new Error("gone"));
  });
  const backlog = openBacklog(source, { bootstrapping: false, liveEventsMax: 9 });
  expect(await backlog.next()).toHaveLength(1);
  await expect(backlog.next()).rejects.toThrow("gone");
});
