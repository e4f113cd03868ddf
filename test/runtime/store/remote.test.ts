import { status } from "@grpc/grpc-js";
import { firstValueFrom, take, toArray } from "rxjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  at,
  AlreadyExistsError,
  InvalidSpecError,
  manualClock,
  NotFoundError,
  OwnerConflictError,
  PendingFinalizersError,
  PhaseConflictError,
  seconds,
  UnsupportedError,
  VersionConflictError,
} from "#runtime";
import { isOpaqueSpec } from "#runtime/rpc";
import { openMemoryStore, type Store, type WatchEvent } from "#runtime/store";
import { openRemoteStore, RemoteStoreError, StoreUnreachableError } from "#runtime/store/remote";
import { callError, writeError } from "../../../src/runtime/store/remote/errors.ts";
import {
  line,
  Path,
  path,
  record,
  refused,
  spec,
} from "../../../src/runtime/conformance/store/suite.ts";
import { conforms } from "./conforms.ts";
import { openBehindServer, serveAt, temporaryDirectory } from "./remote-server.ts";

const servers = openBehindServer();
afterAll(() => servers[Symbol.asyncDispose]());
conforms("remote", servers.open, []);

const lines = (events: readonly WatchEvent[]) => events.map((event) => line(event));
const news = async (store: Store, count: number, options = {}) =>
  lines(await firstValueFrom(store.watchKind(Path, options).pipe(take(count), toArray())));

test("a watch begins with what is there, and tells of own writes before they are over", async () => {
  await using servers = openBehindServer();
  const store = await servers.open();
  await store.create(Path, "b", spec(), { labels: { tier: "front" } });
  const one = record(store.watch(Path, "a"));
  const all = record(store.watchKind(Path, { bootstrapContents: true }));
  const query = { labels: [[{ key: "tier", op: "exists" as const }]], id: /b/ };
  const some = record(store.watchKind(Path, { bootstrapContents: true, query }));
  await store.create(Path, "a", spec());
  await store.modify(Path, "b", (draft) => void (draft.size = 1));
  await store.teardown(path("a"));
  await store.destroy(path("a"));
  expect(one.lines).toEqual([
    "destroyed a@0",
    "created a@1",
    "updated a@2 was a@1",
    "destroyed a@2",
  ]);
  expect(all.lines).toEqual([
    ...["created b@1", "bootstrapped", "created a@1", "updated b@2 was b@1"],
    ...["updated a@2 was a@1", "destroyed a@2"],
  ]);
  expect(some.lines).toEqual(["created b@1", "bootstrapped", "updated b@2 was b@1"]);
});

test("a watch goes on from a bookmark, through a query, and with tail events", async () => {
  await using servers = openBehindServer();
  const store = await servers.open();
  const watch = record(store.watchKind(Path, { bootstrapBookmark: true }));
  for (const id of ["a", "b", "c"]) await store.create(Path, id, spec());
  const [first, second] = watch.events;
  expect(watch.lines).toEqual(["noop", "created a@1", "created b@1", "created c@1"]);
  if (first?.type !== "noop" || second?.type !== "created") throw new Error("other events");
  const startFromBookmark = second.bookmark;
  expect(await news(store, 2, { startFromBookmark })).toEqual(["created b@1", "created c@1"]);
  const past = { startFromBookmark: first.bookmark, query: { id: /b/ } };
  expect(await news(store, 1, past)).toEqual(["created b@1"]);
  expect(await news(store, 2, { tailEvents: 2 })).toEqual(["created b@1", "created c@1"]);
  const foreign = { startFromBookmark: new Uint8Array(3) };
  expect(await news(store, 1, foreign)).toEqual(["errored ERR_INVALID_BOOKMARK"]);
});

test("what comes from a server is frozen, and the same object while it does not change", async () => {
  await using servers = openBehindServer();
  const store = await servers.open();
  const created = await store.create(Path, "a", spec(1, ["x"]));
  expect(Object.isFrozen(created.spec.tags)).toBe(true);
  expect(await store.get(Path, "a")).toBe(created);
  expect((await store.list(Path))[0]).toBe(created);
  const torn = await store.modifyMetadata(path("a"), (draft) => void (draft.phase = "tearingDown"));
  expect(torn.spec).toBe(created.spec);
});

test("a kind that is not known is opaque, and can be written as such", async () => {
  await using servers = openBehindServer([]);
  const store = await servers.open();
  const opaque = { proto: "AAH/", yaml: "size:   1\n" };
  const { spec: stored } = await store.create(Path, "a", opaque as never);
  expect(isOpaqueSpec(stored)).toBe(true);
  expect((await store.get(Path, "a"))?.spec).toEqual(opaque);
});

test("a resource of many megabytes is written and watched, one that is too large refused", async () => {
  const mebibytes = (count: number) => ({ proto: "", yaml: "x".repeat(count * 1024 * 1024) });
  await using servers = openBehindServer([]);
  const store = await servers.open();
  const watch = record(store.watchKind(Path));
  await store.create(Path, "a", mebibytes(31) as never);
  const a = await store.get(Path, "a");
  if (a !== undefined) await store.update({ ...a, spec: mebibytes(30) as never }); // its event holds both
  await refused(store.create(Path, "b", mebibytes(32) as never), "ERR_STORE_REMOTE");
  expect(watch.lines).toEqual(["created a@1", "updated a@2 was a@1"]);
});

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory[Symbol.asyncDispose]());

test("a resource that does not fit its kind fails the read, and the watch that meets it", async () => {
  await using behind = openMemoryStore();
  const socket = directory.path("misfit");
  await using server = await serveAt(socket, behind);
  await behind.create(Path, "a", { proto: "", yaml: "size: many" } as never);
  await using store = openRemoteStore({ address: `unix:${socket}`, kinds: [Path] });
  await refused(store.get(Path, "a"), "ERR_INVALID_SPEC");
  await refused(store.list(Path), "ERR_INVALID_SPEC");
  const [event] = await news(store, 1, { bootstrapContents: true });
  expect(event).toBe("errored ERR_INVALID_SPEC");
  expect(server.connections).toBe(1);
});

test("a watch goes on where it was when its server comes back, and not sooner than it should", async () => {
  const clock = manualClock(at("2030-01-01"));
  await using behind = openMemoryStore();
  const socket = directory.path("restart");
  let server = await serveAt(socket, behind);
  await using store = openRemoteStore({ address: `unix:${socket}`, kinds: [Path], clock });
  const seen: string[] = [];
  store.watchKind(Path, { bootstrapContents: true }).subscribe((event) => {
    seen.push(line(event));
  });
  await store.create(Path, "a", spec());
  for (const id of ["b", "c"]) {
    await server.close();
    await behind.create(Path, id, spec());
    server = await serveAt(socket, behind);
    await expect.poll(() => clock.nextAlarm()).toBeDefined();
    const wait = (clock.nextAlarm() ?? 0) - clock.now();
    expect(wait).toBeGreaterThanOrEqual(seconds(0.25));
    expect(wait).toBeLessThanOrEqual(seconds(0.75));
    while (!seen.includes(`created ${id}@1`)) {
      const alarm = clock.nextAlarm();
      if (alarm !== undefined) clock.advanceTo(alarm);
      await nextTurn();
    }
  }
  expect(seen).toEqual(["bootstrapped", "created a@1", "created b@1", "created c@1"]);
  await server.close();
});

test("a watch whose bookmark its server no longer knows ends with an error", async () => {
  const clock = manualClock(at("2030-01-01"));
  const socket = directory.path("forgotten");
  let behind = openMemoryStore();
  let server = await serveAt(socket, behind);
  await using store = openRemoteStore({ address: `unix:${socket}`, kinds: [Path], clock });
  const watch = record(store.watchKind(Path));
  await store.create(Path, "a", spec());
  await server.close();
  await behind.close();
  behind = openMemoryStore(); // another one, with a history of its own
  server = await serveAt(socket, behind);
  while (!watch.ended) {
    const alarm = clock.nextAlarm();
    if (alarm !== undefined) clock.advanceTo(alarm);
    await nextTurn();
  }
  expect(watch.lines).toEqual(["created a@1", "errored ERR_INVALID_BOOKMARK"]);
  await server.close();
  await behind.close();
});

test("without a server every operation says so, and a watch ends", async () => {
  const address = `unix:${directory.path("nobody")}`;
  await using store = openRemoteStore({ address, kinds: [Path] });
  await expect(store.get(Path, "a")).rejects.toThrow(StoreUnreachableError);
  await expect(store.create(Path, "a", spec())).rejects.toThrow(StoreUnreachableError);
  await expect(store.list(Path)).rejects.toThrow(StoreUnreachableError);
  expect(await news(store, 1)).toEqual(["errored ERR_STORE_UNREACHABLE"]);
});

test("a store that is closed completes its watches and refuses the rest", async () => {
  await using servers = openBehindServer();
  const store = await servers.open();
  const watch = record(store.watchKind(Path));
  await store.create(Path, "a", spec());
  await store.close();
  expect(watch.ended).toBe(true);
  await refused(store.get(Path, "a"), "ERR_STORE_CLOSED");
  expect(lines(record(store.watchKind(Path)).events as [])).toEqual(["errored ERR_STORE_CLOSED"]);
});

const serviceError = (code: number, details: string) =>
  Object.assign(new Error(details), { code, details });
const resource = { metadata: { ...path("a"), version: 3 }, spec: spec() } as never;
const create = { op: "create", resource } as const;
const update = { op: "update", resource, expectedPhase: "running" } as const;
const destroy = { op: "destroy", pointer: path("a") } as const;

test.each([
  [create, status.ALREADY_EXISTS, "", AlreadyExistsError],
  [create, status.PERMISSION_DENIED, 'is owned by "x"', OwnerConflictError],
  [create, status.INVALID_ARGUMENT, "no", RemoteStoreError],
  [update, status.NOT_FOUND, "", NotFoundError],
  [update, status.PERMISSION_DENIED, "no", OwnerConflictError],
  [update, status.INVALID_ARGUMENT, "", PhaseConflictError],
  [update, status.FAILED_PRECONDITION, "actual version 7", VersionConflictError],
  [destroy, status.NOT_FOUND, "", NotFoundError],
  [destroy, status.FAILED_PRECONDITION, "has pending finalizers [a b]", PendingFinalizersError],
  [destroy, status.UNAVAILABLE, "", StoreUnreachableError],
  [destroy, status.UNIMPLEMENTED, "", UnsupportedError],
] as const)(
  "%o refused with status %i is the error that a local store throws",
  (write, code, details, kind) => {
    expect(writeError(serviceError(code, details), write, false)).toBeInstanceOf(kind);
  },
);

test("an error that is none of the server's is passed on", () => {
  const error = new InvalidSpecError(path("a"), "is odd");
  expect(callError(error, false)).toBe(error);
});

/** Lets sockets have their turn. */
const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("two thousand writes at once are all answered", async () => {
  await using servers = openBehindServer();
  const store = await servers.open();
  const ids = Array.from({ length: 2000 }, (_, i) => `id-${i}`);
  await Promise.all(ids.map((id) => store.create(Path, id, spec())));
  const found = await Promise.all(ids.map((id) => store.get(Path, id)));
  expect(found.filter((resource) => resource === undefined)).toEqual([]);
  expect(await store.list(Path)).toHaveLength(2000);
});
