import assert from "node:assert/strict";
import { instantOf } from "../../instant.ts";
import type { Write } from "../../store/store.ts";
import { kind, line, Other, path, Path, record, refused, spec, type StoreCase } from "./suite.ts";

const create = (id: string, type = "os/path"): Write => {
  const metadata = { ...path(id), type, version: 0, owner: "", phase: "running" } as const;
  const times = { created: instantOf(0), updated: instantOf(0) };
  const maps = { labels: {}, annotations: {}, finalizers: [] };
  return {
    op: "create",
    resource: { metadata: { ...metadata, ...times, ...maps }, spec: spec() },
  };
};
const destroy = (id: string): Write => ({ op: "destroy", pointer: path(id) });

/** Commits and what their readers and watchers see: store.ts. */
export const commits: readonly StoreCase[] = [
  {
    name: "a commit is applied whole or not at all",
    needs: "atomic",
    async run(open) {
      await using store = await open();
      assert.equal(store.core.atomic, true);
      await store.create(Path, "b", spec());
      const before = await store.list(Path);
      const watch = record(store.watchKind(Path));
      await refused(
        store.core.commit([create("a"), destroy("b"), create("c"), create("a")]),
        "ERR_ALREADY_EXISTS",
      );
      assert.equal(await store.get(Path, "a"), undefined);
      assert.deepEqual(await store.list(Path), before);
      assert.deepEqual(watch.lines, []);
      await store.core.commit([create("a"), destroy("b"), create("c")]);
      assert.deepEqual(watch.lines, ["created a@1", "destroyed b@1", "created c@1"]);
      const [, second] = watch.events;
      assert.ok(second?.type === "destroyed" && second.bookmark);
      const resumed = record(store.watchKind(Path, { startFromBookmark: second.bookmark }));
      assert.deepEqual(resumed.lines, ["created c@1"]); // what was refused left no gap
    },
  },
  {
    name: "later writes of a commit see earlier ones",
    async run(open) {
      await using store = await open();
      const a = await store.create(Path, "a", spec());
      const next = { ...a, metadata: { ...a.metadata, version: 2 } };
      const results = await store.core.commit([
        { op: "update", resource: a },
        { op: "update", resource: next },
        destroy("a"),
        create("a"),
      ]);
      assert.deepEqual(
        results.map(({ metadata }) => metadata.version),
        [2, 3, 3, 1],
      );
      assert.deepEqual(await store.get(Path, "a"), results[3]);
      assert.deepEqual(await store.core.commit([]), []);
    },
  },
  {
    name: "a commit across kinds is one event in the life of each",
    needs: "atomic",
    async run(open) {
      await using store = await open();
      const log: string[] = [];
      for (const { type } of [Path, Other])
        store.core
          .watchKind({ ...kind, type })
          .subscribe((batch) => log.push(`${type}: ${batch.map(line).join(", ")}`));
      await store.core.commit([create("a"), create("x", "os/other"), create("b")]);
      assert.deepEqual(log, ["os/path: created a@1, created b@1", "os/other: created x@1"]);
    },
  },
  {
    name: "the events of a commit are there before its promise resolves",
    async run(open) {
      await using store = await open();
      const log: string[] = [];
      store.watchKind(Path).subscribe((event) => log.push(line(event)));
      const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`);
      await Promise.all(
        ids.map(async (id) => {
          await store.create(Path, id, spec());
          assert.ok(log.includes(`created ${id}@1`));
        }),
      );
      assert.deepEqual(log.toSorted(), ids.map((id) => `created ${id}@1`).sort());
    },
  },
  {
    name: "the events of commits that are made at once are in the order of the commits",
    needs: "sameProcess",
    async run(open) {
      await using store = await open();
      const watch = record(store.watchKind(Path));
      const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`);
      await Promise.all(ids.map((id) => store.create(Path, id, spec())));
      await watch.shows(...ids.map((id) => `created ${id}@1`));
    },
  },
  {
    name: "values are frozen, shared and the same while nothing changes",
    needs: "sameProcess",
    async run(open) {
      await using store = await open();
      const value = { size: 1, tags: Object.freeze(["x"]) as string[] };
      const shallow = Object.freeze({ ...value, tags: ["x"] });
      for (const [id, given] of [value, shallow].entries()) {
        const created = await store.create(Path, String(id), given, { labels: { a: "b" } });
        for (const part of [created, created.metadata, created.spec, created.spec.tags])
          assert.ok(Object.isFrozen(part));
        assert.ok(Object.isFrozen(created.metadata.labels));
        assert.ok(Object.isFrozen(created.metadata.finalizers));
        assert.equal(await store.get(Path, String(id)), created);
      }
      const list = await store.list(Path);
      assert.ok(Object.isFrozen(list));
      assert.equal(list[0], await store.get(Path, "0"));
      await store.create(Other, "x", { size: 1 });
      assert.equal(await store.list(Path), list);
      await store.modify(Path, "1", (draft) => void (draft.size = 2));
      assert.equal((await store.list(Path))[0], list[0]);
      assert.notEqual((await store.list(Path))[1], list[1]);
      const metadata = list[0]?.metadata;
      assert.ok(metadata);
      await store.update({ metadata, spec: { size: 1, tags: ["y"] } });
      assert.ok(Object.isFrozen((await store.get(Path, "0"))?.spec.tags));
    },
  },
  {
    name: "a snapshot reads several kinds as of one moment",
    async run(open) {
      await using store = await open();
      await store.core.commit([create("a"), create("x", "os/other")]);
      const kinds = [kind, { ...kind, type: "os/other" }];
      const seen = await store.core.snapshot(kinds, (view) => [
        view.get(path("a"))?.metadata.id,
        view.get(path("b"))?.metadata.id,
        ...view.list({ ...kind, type: "os/other" }).map(({ metadata }) => metadata.id),
        ...view.list(kind, { id: /nothing/ }),
      ]);
      assert.deepEqual(seen, ["a", undefined, "x"]);
      await assert.rejects(
        store.core.snapshot(kinds, () => {
          throw new RangeError("no");
        }),
        RangeError,
      );
    },
  },
  {
    name: "a commit that is made in a callback is heard of by all in the same order",
    async run(open) {
      await using store = await open();
      const logs: string[][] = [[], []];
      let last: Promise<unknown> = Promise.resolve();
      store.watchKind(Path).subscribe((event) => {
        logs[0]?.push(line(event));
        if (event.type === "created" && event.resource.metadata.id === "a")
          last = store.core.commit([create("b")]);
      });
      store.watchKind(Path).subscribe((event) => logs[1]?.push(line(event)));
      await store.create(Path, "a", spec());
      await last;
      assert.deepEqual(logs, [
        ["created a@1", "created b@1"],
        ["created a@1", "created b@1"],
      ]);
    },
  },
  {
    name: "a watch that begins in a callback misses nothing and gets nothing twice",
    async run(open) {
      await using store = await open();
      let inner: ReturnType<typeof record> | undefined;
      let last: Promise<unknown> = Promise.resolve();
      store.watchKind(Path).subscribe(() => {
        if (inner) return;
        last = store.core.commit([create("b")]);
        inner = record(store.watchKind(Path, { bootstrapContents: true }) as never);
        last = Promise.all([last, store.core.commit([create("c")])]);
      });
      await store.create(Path, "a", spec());
      await last;
      const lines = inner?.lines ?? [];
      assert.deepEqual(lines.filter((text) => text !== "bootstrapped").sort(), [
        "created a@1",
        "created b@1",
        "created c@1",
      ]);
    },
  },
  {
    name: "a watch that ends in a callback gets nothing more, and the others do",
    async run(open) {
      await using store = await open();
      const logs: string[][] = [[], []];
      const first = store.watchKind(Path).subscribe((event) => {
        logs[0]?.push(line(event));
        first.unsubscribe();
        second.unsubscribe();
      });
      const second = store.watchKind(Path).subscribe((event) => logs[1]?.push(line(event)));
      const third = record(store.watchKind(Path));
      await store.core.commit([create("a"), create("b")]);
      await store.core.commit([create("c")]);
      assert.deepEqual(logs, [["created a@1"], []]);
      assert.equal(third.lines.length, 3);
    },
  },
];
