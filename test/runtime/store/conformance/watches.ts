import assert from "node:assert/strict";
import { line, Other, path, Path, record, refused, spec, type Case } from "./suite.ts";

/** Watches: cosi.md §2.6. */
export const watches: readonly Case[] = [
  {
    name: "a watch begins with what is there, and tells of every change (TestWatch)",
    async run(open) {
      await using store = await open();
      const watch = record(store.watch(Path, "a"));
      assert.deepEqual(watch.news(), ["destroyed a@0"]);
      await store.create(Path, "a", spec());
      await store.create(Path, "b", spec());
      await store.teardown(path("a"));
      await store.addFinalizers(path("a"), "A");
      await store.dropFinalizers(path("a"), "A");
      const late = record(store.watch(Path, "a"));
      await store.destroy(path("a"));
      assert.deepEqual(watch.news(), [
        "created a@1",
        "updated a@2 was a@1",
        "updated a@3 was a@2",
        "updated a@4 was a@3",
        "destroyed a@4",
      ]);
      assert.deepEqual(late.news(), ["created a@4", "destroyed a@4"]);
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
      assert.deepEqual(live.news(), ["created a@1"]);
      assert.deepEqual(all.news(), ["created a@1", "created b@1", "bootstrapped"]);
      await store.teardown(path("a"));
      await store.destroy(path("a"));
      const end = ["updated a@2 was a@1", "destroyed a@2"];
      assert.deepEqual(live.news(), end);
      assert.deepEqual(all.news(), end);
      live.stop();
      await store.create(Path, "c", spec());
      assert.deepEqual(live.news(), []);
      assert.deepEqual(all.news(), ["created c@1"]);
    },
  },
  {
    name: "batches are those of the commits (TestWatchKindAggregated)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec());
      const batches: string[][] = [];
      const options = { bootstrapContents: true, bootstrapBookmark: true };
      const watch = store.core.watchKind({ namespace: "default", type: "os/path" }, options);
      watch.subscribe((batch) => batches.push(batch.map(line)));
      assert.deepEqual(batches, [["created a@1", "bootstrapped"], ["noop"]]);
      const resource = await store.get(Path, "a");
      assert.ok(resource);
      await store.core.commit([
        { op: "update", resource },
        { op: "destroy", pointer: path("a") },
      ]);
      assert.deepEqual(batches[2], ["updated a@2 was a@1", "destroyed a@2"]);
    },
  },
  {
    name: "what begins or ends to match looks created or destroyed (TestWatchKindWithLabels)",
    async run(open) {
      await using store = await open();
      const having = (key: string, value?: string) =>
        value === undefined
          ? [{ key, op: "exists" as const }]
          : [{ key, op: "equal" as const, values: [value] }];
      const follow = (...labels: ReturnType<typeof having>[]) =>
        record(store.watchKind(Path, { query: { labels }, bootstrapContents: true }));
      await store.create(Path, "1", spec(), { labels: { label: "label1", common: "" } });
      const one = follow(having("label", "label1"));
      const common = follow(having("common"));
      const either = follow(having("label", "label2"), having("label", "label3"));
      assert.deepEqual(one.news(), ["created 1@1", "bootstrapped"]);
      assert.deepEqual(common.news(), ["created 1@1", "bootstrapped"]);
      assert.deepEqual(either.news(), ["bootstrapped"]);
      await store.create(Path, "2", spec(), { labels: { label: "label2" } });
      await store.modifyMetadata(path("2"), (draft) => void (draft.labels.common = "yes"));
      await store.modify(Path, "2", (draft) => void (draft.size = 1));
      await store.modifyMetadata(path("2"), (draft) =>
        Reflect.deleteProperty(draft.labels, "common"),
      );
      await store.destroy(path("2"));
      assert.deepEqual(one.news(), []);
      assert.deepEqual(common.news(), ["created 2@2", "updated 2@3 was 2@2", "destroyed 2@4"]);
      assert.deepEqual(either.news(), [
        "created 2@1",
        "updated 2@2 was 2@1",
        "updated 2@3 was 2@2",
        "updated 2@4 was 2@3",
        "destroyed 2@4",
      ]);
      assert.ok(common.events.every((event) => event.type === "updated" || !("old" in event)));
    },
  },
  {
    name: "lists and watches can be narrowed by id (TestIDQuery)",
    async run(open) {
      await using store = await open();
      const ids = Array.from({ length: 10 }, (_, i) => `idquery/path-${i}`);
      for (const id of ids) await store.create(Path, id, spec());
      const query = { id: /^idquery\/.+[2-4]$/ };
      const listed = await store.list(Path, query);
      assert.deepEqual(
        listed.map(({ metadata }) => metadata.id),
        ids.slice(2, 5),
      );
      const watch = record(store.watchKind(Path, { query, bootstrapContents: true }));
      for (const id of ids) await store.destroy(path(id));
      const each = (event: string) => ids.slice(2, 5).map((id) => `${event} ${id}@1`);
      assert.deepEqual(watch.lines, [...each("created"), "bootstrapped", ...each("destroyed")]);
    },
  },
  {
    name: "lists can be narrowed by labels (TestLabels)",
    async run(open) {
      await using store = await open();
      const label = async (id: string, labels: Record<string, string>) =>
        store.create(Path, id, spec(), { labels });
      await label("c", { app: "app1", stage: "init" });
      await label("b", { app: "app2", stage: "initramfs" });
      await label("a", { app: "app3" });
      const ids = async (...labels: Parameters<typeof query>[]) =>
        (await store.list(Path, { labels: labels.map((terms) => query(...terms)) }))
          .map(({ metadata }) => metadata.id)
          .join("");
      const query = (...terms: [string, "exists" | "equal" | "in", ...string[]][]) =>
        terms.map(([key, op, ...values]) => ({ key, op, values }));
      assert.equal(await ids(), "abc");
      assert.equal(await ids([["app", "exists"]]), "abc");
      assert.equal(await ids([["app", "exists"], ["stage", "equal", "init"]]), "c"); // prettier-ignore
      assert.equal(await ids([["app", "equal", "nope"]]), "");
      assert.equal(await ids([["app", "in", "app1", "app3"]]), "ac");
      assert.equal(await ids([["app", "equal", "app3"]], [["stage", "equal", "init"]]), "ac");
    },
  },
  {
    name: "waits for a state that is there already or comes (TestWatchFor)",
    async run(open) {
      await using store = await open();
      const created = store.watchFor(Path, "a", { types: ["created"] });
      const resource = await store.create(Path, "a", spec());
      assert.equal(await created, resource);
      assert.equal(await store.watchFor(Path, "a", { finalizersEmpty: true }), resource);
      const large = store.watchFor(Path, "a", { matches: (it) => it.spec.size > 5 });
      await store.modify(Path, "a", (draft) => void (draft.size = 5));
      await store.modify(Path, "a", (draft) => void (draft.size = 6));
      assert.equal((await large).metadata.version, 3);
      await store.teardown(path("a"));
      assert.equal((await store.watchFor(Path, "a", { phase: "tearingDown" })).metadata.version, 4);
      const gone = store.watchFor(Path, "a", { types: ["destroyed"] });
      await store.addFinalizers(path("a"), "A");
      await store.dropFinalizers(path("a"), "A");
      await store.destroy(path("a"));
      assert.equal((await gone).metadata.version, 6);
      assert.equal((await store.watchFor(Path, "a", {})).metadata.version, 0);
    },
  },
  {
    name: "what is missing is in no phase and matches nothing",
    async run(open) {
      await using store = await open();
      const running = store.watchFor(Path, "a", { phase: "running" });
      const free = store.watchFor(Path, "a", { finalizersEmpty: true });
      const small = store.watchFor(Path, "a", { matches: (it) => it.spec.size === 0 });
      const resource = await store.create(Path, "a", spec());
      assert.deepEqual(await Promise.all([running, free, small]), [resource, resource, resource]);
    },
  },
  {
    name: "a wait ends with its signal, and with the store",
    async run(open) {
      const store = await open();
      const reason = new Error("enough");
      const late = AbortSignal.abort(reason);
      const wait = async (signal?: AbortSignal) =>
        store.watchFor(Path, "a", { types: ["created"] }, signal && { signal });
      await assert.rejects(wait(late), (error) => error === reason);
      const abort = new AbortController();
      const waiting = wait(abort.signal);
      abort.abort(reason);
      await assert.rejects(waiting, (error) => error === reason);
      const last = wait();
      const watch = record(store.watchKind(Path));
      await store.close();
      await refused(last, "ERR_STORE_CLOSED");
      assert.equal(watch.ended, true);
      const tooLate = record(store.watchKind(Path));
      assert.deepEqual(tooLate.lines, ["errored ERR_STORE_CLOSED"]);
      assert.equal(tooLate.ended, true);
    },
  },
];
