import assert from "node:assert/strict";
import { path, Path, record, refused, spec, type StoreCase } from "./suite.ts";

/** Operations that the wrapper derives: cosi.md §2.3. */
export const changes: readonly StoreCase[] = [
  {
    name: "modify creates from the initial value, then changes it (TestModify)",
    async run(open) {
      await using store = await open();
      const grow = (draft: { size: number }) => {
        draft.size += 1;
      };
      await refused(store.modify(Path, "a", grow), "ERR_NOT_FOUND");
      const created = await store.modify(Path, "a", grow, { initial: spec(10) });
      assert.deepEqual(created.spec, spec(11));
      const modified = await store.modify(Path, "a", grow, { initial: spec(10) });
      assert.deepEqual(modified.spec, spec(12));
      assert.equal(modified.metadata.version, 2);
      const replaced = await store.modify(Path, "a", () => spec(7, ["x"]));
      assert.deepEqual(replaced.spec, spec(7, ["x"]));
      assert.deepEqual(await store.get(Path, "a"), replaced);
    },
  },
  {
    name: "modify passes on what the recipe throws, and writes nothing",
    async run(open) {
      await using store = await open();
      const before = await store.create(Path, "a", spec());
      const problem = new Error("no");
      const broken = store.modify(Path, "a", (draft) => {
        draft.size = 1;
        throw problem;
      });
      await assert.rejects(broken, (error) => error === problem);
      assert.deepEqual(await store.get(Path, "a"), before);
    },
  },
  {
    name: "modify writes nothing when the value stays equal",
    async run(open) {
      await using store = await open();
      const before = await store.create(Path, "a", spec(1, ["x"]));
      const watch = record(store.watchKind(Path));
      assert.deepEqual(await store.modify(Path, "a", () => undefined), before);
      const same = await store.modify(Path, "a", (draft) => {
        draft.tags = ["x"];
      });
      assert.deepEqual(same, before);
      assert.deepEqual(await store.get(Path, "a"), before);
      await watch.shows();
    },
  },
  {
    name: "modify keeps to the phase and the owner (TestModifyWithOwner)",
    async run(open) {
      await using store = await open();
      const set = (size: number) => () => spec(size);
      const one = { owner: "one" };
      const a = await store.modify(Path, "a", set(1), { ...one, initial: spec() });
      assert.equal(a.metadata.owner, "one");
      await store.modify(Path, "a", set(2), one);
      await refused(store.modify(Path, "a", set(3)), "ERR_OWNER_CONFLICT");
      await store.teardown(path("a"), one);
      await refused(store.modify(Path, "a", set(4), one), "ERR_PHASE_CONFLICT");
      await refused(
        store.modify(Path, "a", () => undefined, one),
        "ERR_PHASE_CONFLICT",
      );
      const any = await store.modify(Path, "a", set(5), { ...one, expectedPhase: "any" });
      assert.equal(any.metadata.phase, "tearingDown");
    },
  },
  {
    name: "of many modifications at once none is lost",
    async run(open) {
      await using store = await open();
      const add = async (tag: number) =>
        store.modify(Path, "a", (draft) => void draft.tags.push(String(tag)), { initial: spec() });
      const all = Array.from({ length: 50 }, (_, i) => i);
      await Promise.all(all.map(add));
      const end = await store.get(Path, "a");
      assert.equal(end?.metadata.version, 50);
      assert.deepEqual(end.spec.tags.toSorted(), all.map(String).toSorted());
    },
  },
  {
    name: "modifyMetadata changes labels, annotations, finalizers and phase (TestUpdateWithConflicts)",
    async run(open) {
      await using store = await open();
      const before = await store.create(Path, "a", spec(), { labels: { old: "1" } });
      const after = await store.modifyMetadata(path("a"), (draft) => {
        draft.labels.app = "x";
        delete draft.labels.old;
        draft.annotations.note = "y";
        draft.finalizers.push("f");
      });
      assert.deepEqual(before.metadata.labels, { old: "1" });
      assert.deepEqual(after.metadata.labels, { app: "x" });
      assert.deepEqual(after.metadata.annotations, { note: "y" });
      assert.deepEqual(after.metadata.finalizers, ["f"]);
      assert.deepEqual(after.spec, before.spec);
      const nothing = () => undefined;
      assert.deepEqual(await store.modifyMetadata(path("a"), nothing), after);
      await refused(store.modifyMetadata(path("b"), nothing), "ERR_NOT_FOUND");
    },
  },
  {
    name: "a recipe cannot use the store that runs it",
    needs: "edit",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec());
      let inside: Promise<unknown> | undefined;
      await store.modify(Path, "a", (draft) => {
        inside = store.get(Path, "a");
        inside.catch(() => undefined);
        draft.size = 5;
      });
      assert.ok(inside);
      await refused(inside, "TypeError");
      assert.equal((await store.get(Path, "a"))?.spec.size, 5);
    },
  },
  {
    name: "finalizers are added and dropped at once without losing one (TestConcurrentFinalizers)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec(), { owner: "one" });
      const add = async (...names: string[]) => store.addFinalizers(path("a"), ...names);
      const drop = async (...names: string[]) => store.dropFinalizers(path("a"), ...names);
      await Promise.all([
        ...["A", "B", "C", "D", "E", "F", "G", "H"].map((name) => add(name)),
        ...["A", "B", "C"].map((name) => drop(name)),
      ]);
      await Promise.all(["A", "B", "C"].map((name) => drop(name)));
      const held = async () => (await store.get(Path, "a"))?.metadata;
      assert.deepEqual((await held())?.finalizers.toSorted(), ["D", "E", "F", "G", "H"]);
      const version = (await held())?.version;
      await add("D", "E");
      await drop("A");
      assert.equal((await held())?.version, version); // nothing to do is not written
      await refused(store.addFinalizers(path("b"), "A"), "ERR_NOT_FOUND");
    },
  },
  {
    name: "finalizers hold a resource back from being destroyed (TestTeardownDestroy)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec());
      await store.addFinalizers(path("a"), "A");
      await refused(store.destroy(path("a")), "ERR_PENDING_FINALIZERS");
      assert.equal(await store.teardown(path("a")), false);
      assert.equal(await store.teardown(path("a")), false);
      await refused(store.destroy(path("a")), "ERR_PENDING_FINALIZERS");
      await store.dropFinalizers(path("a"), "A");
      assert.equal(await store.teardown(path("a")), true);
      await store.destroy(path("a"));
      assert.equal(await store.get(Path, "a"), undefined);
    },
  },
  {
    name: "teardownAndDestroy waits for the finalizers to go (TestTeardownAndDestroy)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec(), { finalizers: ["A"] });
      const torn = store.watchFor(Path, "a", { phase: "tearingDown" });
      const gone = store.teardownAndDestroy(path("a"));
      await torn;
      await store.dropFinalizers(path("a"), "A");
      await gone;
      assert.equal(await store.get(Path, "a"), undefined);
      await refused(store.teardownAndDestroy(path("a")), "ERR_NOT_FOUND");
    },
  },
  {
    name: "teardownAndDestroy is content when somebody else destroys first",
    needs: "atomic",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec(), { finalizers: ["A"] });
      const torn = store.watchFor(Path, "a", { phase: "tearingDown" });
      const gone = store.teardownAndDestroy(path("a"));
      await torn;
      const [resource] = await store.core.list({ namespace: "default", type: "os/path" });
      assert.ok(resource);
      const metadata = { ...resource.metadata, finalizers: [] };
      await store.core.commit([
        { op: "update", resource: { ...resource, metadata }, expectedPhase: "any" },
        { op: "destroy", pointer: path("a") },
      ]);
      await gone;
    },
  },
  {
    name: "of many that tear down and destroy at once none is stuck",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec(), { finalizers: ["A"] });
      const torn = store.watchFor(Path, "a", { phase: "tearingDown" });
      const all = Array.from({ length: 10 }, () => store.teardownAndDestroy(path("a")));
      await torn;
      await store.dropFinalizers(path("a"), "A");
      for (const end of await Promise.allSettled(all))
        if (end.status === "rejected")
          assert.match((end.reason as { code: string }).code, /^ERR_(NOT_FOUND|PHASE_CONFLICT)$/);
      assert.equal(await store.get(Path, "a"), undefined);
    },
  },
  {
    name: "teardownAndDestroy can be aborted",
    async run(open) {
      await using store = await open();
      await store.create(Path, "b", spec(), { finalizers: ["A"] });
      const abort = new AbortController();
      const waiting = store.teardownAndDestroy(path("b"), { signal: abort.signal });
      const reason = new Error("enough");
      abort.abort(reason);
      await assert.rejects(waiting, (error) => error === reason);
    },
  },
];
