import assert from "node:assert/strict";
import { kind, line, Other, path, Path, record, spec, type StoreCase } from "./suite.ts";

/** Watches: cosi.md §2.6. */
export const watches: readonly StoreCase[] = [
  {
    name: "a watch begins with what is there, and tells of every change (TestWatch)",
    async run(open) {
      await using store = await open();
      const watch = record(store.watch(Path, "a"));
      await watch.news("destroyed a@0");
      await store.create(Path, "a", spec());
      await store.create(Path, "b", spec());
      await store.teardown(path("a"));
      await store.addFinalizers(path("a"), "A");
      await store.dropFinalizers(path("a"), "A");
      const late = record(store.watch(Path, "a"));
      await late.news("created a@4");
      await store.destroy(path("a"));
      await watch.news(
        "created a@1",
        "updated a@2 was a@1",
        "updated a@3 was a@2",
        "updated a@4 was a@3",
        "destroyed a@4",
      );
      await late.news("destroyed a@4");
    },
  },
  {
    name: "a watch of a kind tells of what comes, or first of what is there (TestWatchKind)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "b", spec());
      const live = record(store.watchKind(Path));
      await store.create(Path, "a", spec());
      await store.create(Other, "a", { size: 0 });
      await store.create(Path, "a", spec(), { namespace: "elsewhere" });
      const all = record(store.watchKind(Path, { bootstrapContents: true }));
      await live.news("created a@1");
      await all.news("created a@1", "created b@1", "bootstrapped");
      await store.teardown(path("a"));
      await store.destroy(path("a"));
      const end = ["updated a@2 was a@1", "destroyed a@2"];
      await live.news(...end);
      await all.news(...end);
      live.stop();
      await store.create(Path, "c", spec());
      await live.news();
      await all.news("created c@1");
    },
  },
  {
    name: "a watch of a kind has batches that are never empty (TestWatchKindAggregated)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec());
      const batches: string[][] = [];
      const options = { bootstrapContents: true, bootstrapBookmark: true };
      const begun = Promise.withResolvers<undefined>();
      store.core.watchKind(kind, options).subscribe((batch) => {
        batches.push(batch.map(line));
        if (batch.some(({ type }) => type === "noop")) begun.resolve(undefined);
      });
      await begun.promise;
      await store.teardown(path("a"));
      await store.destroy(path("a"));
      assert.ok(batches.every(({ length }) => length > 0));
      assert.deepEqual(batches.flat(), [
        ...["created a@1", "bootstrapped", "noop"],
        ...["updated a@2 was a@1", "destroyed a@2"],
      ]);
    },
  },
  {
    name: "the batches of a watch are those of the commits",
    needs: "atomic",
    async run(open) {
      await using store = await open();
      const resource = await store.create(Path, "a", spec());
      const batches: string[][] = [];
      const options = { bootstrapContents: true, bootstrapBookmark: true };
      store.core.watchKind(kind, options).subscribe((batch) => batches.push(batch.map(line)));
      assert.deepEqual(batches, [["created a@1", "bootstrapped"], ["noop"]]);
      await store.core.commit([
        { op: "update", resource },
        { op: "destroy", pointer: path("a") },
      ]);
      assert.deepEqual(batches[2], ["updated a@2 was a@1", "destroyed a@2"]);
    },
  },
];
