import { status } from "@grpc/grpc-js";
import { defer, finalize, Observable, Subject } from "rxjs";
import { describe, expect, test } from "vitest";
import { lookupOf, EventType, resourceBytes } from "#runtime/rpc";
import type { CoreStore, WatchEvent } from "#runtime/store";
import { openBacklog, type Batches } from "../../../src/runtime/rpc/backlog.ts";
import { eventBytes } from "../../../src/runtime/rpc/events.ts";
import { WatchResponse } from "../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { carriers, Note, openWatch, serveStore } from "./served-store.ts";

const { CREATED, UPDATED, DESTROYED, BOOTSTRAPPED, ERRORED, NOOP } = EventType;

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

const idOf = ({ resource }: WatchResponse["event"][number]) => resource?.metadata?.id;

describe.each(carriers)("over %s", (carrier) => {
  test("a kind: first an empty message, then the contents, BOOTSTRAPPED, and what happens", async () => {
    await using served = await serveStore({ carrier });
    const { store } = served;
    await store.create(Note, "b", { text: "2" });
    await store.create(Note, "a", { text: "1" });
    const watch = openWatch(served, { options: { bootstrapContents: true } });
    expect(await watch.next()).toEqual([]);
    expect(await watch.next()).toMatchObject([
      { eventType: CREATED, resource: { metadata: { id: "a" } }, old: undefined },
      { resource: { metadata: { id: "b" } } },
      {
        eventType: BOOTSTRAPPED,
        resource: { metadata: { type: Note.type, id: "", version: "undefined" } },
        bookmark: expect.any(Buffer) as Buffer,
      },
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
    await using served = await serveStore({ carrier });
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
    await using served = await serveStore({ carrier });
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
    await using served = await serveStore({ carrier });
    const watch = openWatch(served, { id: "" });
    await watch.next();
    expect(await watch.next()).toMatchObject([{ eventType: DESTROYED }]);
  });

  test.each([
    [{ id: "a", options: { bootstrapContents: true } }, status.UNIMPLEMENTED],
    [{ id: "a", options: { labelQuery: [{ terms: [] }] } }, status.UNIMPLEMENTED],
    [{ id: "a", options: { startFromBookmark: Buffer.from("x") } }, status.FAILED_PRECONDITION],
    [
      { id: "a", options: { tailEvents: 1, startFromBookmark: Buffer.from("x") } },
      status.INVALID_ARGUMENT,
    ],
    [{ options: { tailEvents: 1, bootstrapContents: true } }, status.INVALID_ARGUMENT],
    [
      { options: { bootstrapContents: true, startFromBookmark: Buffer.from("x") } },
      status.INVALID_ARGUMENT,
    ],
  ])("%o is refused", async (request, code) => {
    await using served = await serveStore({ carrier });
    expect(await openWatch(served, request).ended).toMatchObject({ code });
  });

  test("a client of the first API version sees no BOOTSTRAPPED, ERRORED and NOOP", async () => {
    await using served = await serveStore({ carrier });
    await served.store.create(Note, "a", { text: "" });
    const watch = openWatch(served, {
      apiVersion: 0,
      options: { bootstrapContents: true, bootstrapBookmark: true },
    });
    await watch.next();
    expect(await watch.next()).toMatchObject([{ eventType: CREATED }]);
    await served.store.create(Note, "b", { text: "" });
    expect(await watch.next()).toMatchObject([
      { eventType: CREATED, resource: { metadata: { id: "b" } } },
    ]);
  });

  test("an aggregated watch puts its contents in messages of a bounded size", async () => {
    await using served = await serveStore({ carrier });
    for (let i = 0; i < 5; i++)
      await served.store.create(Note, `${i}`, { text: "x".repeat(30_000) });
    const watch = openWatch(served, { options: { bootstrapContents: true, aggregated: true } });
    await watch.next();
    expect((await watch.next()).map(({ resource }) => resource?.metadata?.id)).toEqual(["0", "1"]);
    expect((await watch.next()).length).toBe(2);
    expect((await watch.next()).map(({ eventType }) => eventType)).toEqual([CREATED, BOOTSTRAPPED]);
  });

  test("a query lets only its resources through", async () => {
    await using served = await serveStore({ carrier });
    const watch = openWatch(served, { options: { idQuery: { regexp: "^b" } } });
    await watch.next();
    await served.store.create(Note, "a", { text: "" });
    await served.store.create(Note, "b", { text: "" });
    expect(await watch.next()).toMatchObject([{ resource: { metadata: { id: "b" } } }]);
  });

  test("a caller that cancels is unsubscribed", async () => {
    const happenings = new Subject<string>();
    const left = new Promise<void>((resolve) => {
      happenings.subscribe((what) => {
        if (what === "unsubscribed") resolve();
      });
    });
    await using plain = await serveStore({ carrier });
    await using served = await serveStore({
      carrier,
      core: observed(plain.store.core, happenings),
    });
    const watch = openWatch(served);
    await watch.next();
    watch.stream.cancel();
    await left;
    expect(await watch.ended).toMatchObject({ code: status.CANCELLED });
  });

  test("a caller that does not read gets an ERRORED event, and the contents do not count", async () => {
    const text = "x".repeat(1_000_000);
    // Both forms of the spec are told, and so three events of 2 MB fit.
    await using served = await serveStore({ carrier, pendingBytesMax: 7_000_000 });
    const { store } = served;
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

  test("with a log to read on from, a caller that does not read loses nothing", async () => {
    const text = "x".repeat(500_000);
    await using served = await serveStore({
      carrier,
      pendingBytesMax: 3_000_000,
      resumesFromLog: true,
    });
    const watch = openWatch(served, { options: { idQuery: { regexp: "[0-8]$" } } });
    await watch.next();
    watch.stream.pause();
    for (let i = 0; i < 30; i++) await served.store.create(Note, `l${i}`, { text });
    watch.stream.resume();
    const seen: (string | undefined)[] = [];
    while (seen.at(-1) !== "l28") seen.push(...(await watch.next()).map(idOf));
    await served.store.create(Note, "after-0", { text: "" });
    seen.push(...(await watch.next()).map(idOf));
    const made = Array.from({ length: 30 }, (_, i) => `l${i}`).filter((id) => !id.endsWith("9"));
    expect(seen).toEqual([...made, "after-0"]);
  });

  test("tail events begin a watch of a kind, and one of a resource", async () => {
    await using served = await serveStore({ carrier });
    for (const id of ["a", "b", "a2", "b2"]) await served.store.create(Note, id, { text: "" });
    await served.store.modify(Note, "b", (draft) => void (draft.text = "2"));
    const kind = openWatch(served, { options: { tailEvents: 2 } });
    await kind.next();
    expect((await kind.next()).map(idOf)).toEqual(["b2", "b"]);
    const one = openWatch(served, { id: "b", options: { tailEvents: 9 } });
    await one.next();
    expect((await one.next()).map(({ eventType }) => eventType)).toEqual([CREATED, UPDATED]);
  });
});

const bytesOf = resourceBytes(lookupOf([Note]));
const backlogOf = (source: Batches, bytesMax = 1000) =>
  openBacklog(source, {
    bootstrapping: false,
    bytesMax,
    encode: (event) => eventBytes(event, bytesOf, Buffer.alloc(0)),
  });
const noop: WatchEvent = { type: "noop", bookmark: new Uint8Array(1) };
const read = (entries: Iterable<Buffer> | undefined) =>
  WatchResponse.decode(Buffer.concat([...(entries ?? [])])).event.map(({ eventType }) => eventType);

test("an error that the source completes with comes after its last event", async () => {
  const source = new Observable<readonly WatchEvent[]>((subscriber) => {
    subscriber.next([noop]);
    subscriber.error(new Error("gone"));
  });
  const backlog = backlogOf(source);
  expect(read(await backlog.next())).toEqual([NOOP]);
  await expect(backlog.next()).rejects.toThrow("gone");
});

test("an event that is larger than all that may wait is told when nothing else waits", async () => {
  const source = new Subject<readonly WatchEvent[]>();
  const backlog = backlogOf(source, 4);
  source.next([noop]);
  expect(read(await backlog.next())).toEqual([NOOP]);
  source.next([noop, noop]);
  expect(read(await backlog.next())).toEqual([NOOP, ERRORED]);
  expect(await backlog.next()).toBeUndefined();
  expect(source.observed).toBe(false);
});
