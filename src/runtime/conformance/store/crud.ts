import assert from "node:assert/strict";
import { manualClock } from "../../clock.ts";
import { after, at, days } from "../../instant.ts";
import { kind, Other, path, Path, refused, spec, type StoreCase } from "./suite.ts";

/** Create, get, list, update, destroy: cosi.md §2.2. */
export const crud: readonly StoreCase[] = [
  {
    name: "resources are created, read, listed by id, destroyed and created again (TestCRD)",
    async run(open) {
      await using store = await open();
      assert.equal(await store.get(Path, "var/run"), undefined);
      assert.deepEqual(await store.list(Path), []);
      await store.create(Path, "var/run", spec(1));
      const first = await store.create(Path, "var/lib", spec(2));
      assert.deepEqual((await store.get(Path, "var/lib"))?.spec, spec(2));
      const ids = async () => (await store.list(Path)).map(({ metadata }) => metadata.id);
      assert.deepEqual(await ids(), ["var/lib", "var/run"]);
      await refused(store.create(Path, "var/lib", spec()), "ERR_ALREADY_EXISTS");
      assert.equal(await store.teardown(path("var/lib")), true);
      await store.destroy(path("var/lib"));
      await refused(store.teardown(path("var/lib")), "ERR_NOT_FOUND");
      await refused(store.destroy(path("var/lib")), "ERR_NOT_FOUND");
      assert.equal(await store.get(Path, "var/lib"), undefined);
      assert.deepEqual(await ids(), ["var/run"]);
      const metadata = { ...first.metadata, version: 7 }; // what is new has version 1 all the same
      const [again] = await store.core.commit([
        { op: "create", resource: { metadata, spec: spec(3) } },
      ]);
      assert.equal(again?.metadata.version, 1);
      assert.deepEqual(await ids(), ["var/lib", "var/run"]);
    },
  },
  {
    name: "a new resource has version 1, phase running and the clock's time",
    async run(open) {
      const clock = manualClock(at("2030-01-01"));
      await using store = await open({ clock });
      const { metadata } = await store.create(Path, "a", spec(), {
        owner: "test.Controller",
        labels: { app: "x" },
        annotations: { note: "y" },
        finalizers: ["f", "g", "f"],
      });
      assert.deepEqual(metadata, {
        ...path("a"),
        version: 1,
        owner: "test.Controller",
        phase: "running",
        created: at("2030-01-01"),
        updated: at("2030-01-01"),
        labels: { app: "x" },
        annotations: { note: "y" },
        finalizers: ["f", "g"],
      });
    },
  },
  {
    name: "an update counts the version up, keeps created and sets updated",
    async run(open) {
      const clock = manualClock(at("2030-01-01"));
      await using store = await open({ clock });
      const { metadata } = await store.create(Path, "a", spec());
      clock.stepTo(at("2030-01-02"));
      const forged = { ...metadata, created: at("1999-01-01") };
      const updated = await store.update({ metadata: forged, spec: spec(1) });
      assert.equal(updated.metadata.version, 2);
      assert.equal(updated.metadata.created, at("2030-01-01"));
      assert.equal(updated.metadata.updated, at("2030-01-01") + days(1));
      assert.deepEqual(await store.get(Path, "a"), updated);
      clock.stepTo(after(at("2030-01-03"), 0.5));
      const { updated: whole } = (await store.update(updated)).metadata;
      assert.equal(whole, at("2030-01-03")); // a file has whole milliseconds
    },
  },
  {
    name: "an update needs the stored version, and phase running unless it says otherwise (TestUpdate)",
    async run(open) {
      await using store = await open();
      const { metadata } = await store.create(Path, "a", spec());
      const based = (version: number, id = "a") => ({
        metadata: { ...metadata, id, version },
        spec: spec(version),
      });
      await refused(store.update(based(1, "b")), "ERR_NOT_FOUND");
      await refused(store.update(based(0)), "ERR_VERSION_CONFLICT");
      await refused(store.update(based(2)), "ERR_VERSION_CONFLICT");
      await store.update(based(1));
      await store.teardown(path("a"));
      await refused(store.update(based(3)), "ERR_PHASE_CONFLICT");
      const tearingDown = { metadata: { ...metadata, version: 3, phase: "tearingDown" as const } };
      const last = await store.update(
        { ...tearingDown, spec: spec(9) },
        { expectedPhase: "tearingDown" },
      );
      assert.equal(last.metadata.version, 4);
    },
  },
  {
    name: "a write says what is wrong first: missing, then the owner, the version, the phase",
    async run(open) {
      await using store = await open();
      const { metadata } = await store.create(Path, "a", spec(), { owner: "one" });
      await store.teardown(path("a"), { owner: "one" });
      const stale = { metadata, spec: spec() };
      await refused(store.update(stale, { owner: "two" }), "ERR_OWNER_CONFLICT");
      await refused(store.update(stale, { owner: "one" }), "ERR_VERSION_CONFLICT");
      const fresh = { metadata: { ...metadata, version: 2 }, spec: spec() };
      await refused(store.update(fresh, { owner: "one" }), "ERR_PHASE_CONFLICT");
    },
  },
  {
    name: "only the owner changes and destroys a resource (TestCRDWithOwners)",
    async run(open) {
      await using store = await open();
      const a = await store.create(Path, "a", spec(), { owner: "one" });
      assert.equal(a.metadata.owner, "one");
      await refused(store.update(a), "ERR_OWNER_CONFLICT");
      await refused(store.update(a, { owner: "two" }), "ERR_OWNER_CONFLICT");
      await store.update(a, { owner: "one" });
      await refused(store.teardown(path("a")), "ERR_OWNER_CONFLICT");
      assert.equal(await store.teardown(path("a"), { owner: "one" }), true);
      await store.addFinalizers(path("a"), "F");
      await store.dropFinalizers(path("a"), "F");
      await refused(store.destroy(path("a"), { owner: "two" }), "ERR_OWNER_CONFLICT");
      await refused(store.destroy(path("a")), "ERR_OWNER_CONFLICT");
      await store.destroy(path("a"), { owner: "one" });
    },
  },
  {
    name: "an unowned resource can be claimed by an update",
    async run(open) {
      await using store = await open();
      const { metadata } = await store.create(Path, "a", spec());
      await store.update({ metadata: { ...metadata, owner: "one" }, spec: spec() });
      await refused(store.destroy(path("a")), "ERR_OWNER_CONFLICT");
      await store.destroy(path("a"), { owner: "one" });
    },
  },
  {
    name: "a destroy can insist on a version",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec());
      const destroy = (version: number) =>
        store.core.commit([{ op: "destroy", pointer: path("a"), version }]);
      await refused(destroy(2), "ERR_VERSION_CONFLICT");
      const [last] = await destroy(1);
      assert.equal(last?.metadata.version, 1);
    },
  },
  {
    name: "of many that destroy one resource at once one succeeds (TestParallelDestroy)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec());
      const ends = await Promise.allSettled(
        Array.from({ length: 10 }, async () => store.destroy(path("a"))),
      );
      assert.equal(ends.filter(({ status }) => status === "fulfilled").length, 1);
      for (const end of ends)
        if (end.status === "rejected")
          assert.equal((end.reason as { code: string }).code, "ERR_NOT_FOUND");
    },
  },
  {
    name: "ids are any text, and lists are in the order of their UTF-8 bytes",
    async run(open) {
      await using store = await open();
      // In UTF-16 the last two stand the other way round.
      const ids = ["", " ", "/", "__proto__", "a", "a/b", "ab", "é", "\uffee", "😀"];
      for (const id of ids.toReversed()) await store.create(Path, id, spec());
      const listed = async () => (await store.list(Path)).map(({ metadata }) => metadata.id);
      assert.deepEqual(await listed(), ids);
      await store.destroy(path("a"));
      await store.create(Path, "a0", spec());
      assert.deepEqual(await listed(), ids.with(4, "a0").toSorted(byBytes));
      const more = ids.with(4, "a0").concat(Array.from({ length: 50 }, (_, i) => `b${i}`));
      for (const id of more.slice(ids.length)) await store.create(Path, id, spec());
      assert.deepEqual(await listed(), more.toSorted(byBytes));
    },
  },
  {
    name: "a long list stays in order while it grows and shrinks",
    async run(open) {
      await using store = await open();
      const ids = new Set<string>();
      for (let i = 0; i < 200; i++) {
        const id = String((i * 7919) % 200);
        await store.create(Path, id, spec());
        ids.add(id);
        if (i % 3 === 0) {
          await store.destroy(path(id));
          ids.delete(id);
        }
        if (i % 17 !== 0 && i < 150) continue; // few and many changes between two lists
        const listed = (await store.list(Path)).map(({ metadata }) => metadata.id);
        assert.deepEqual(listed, [...ids].sort());
      }
    },
  },
  {
    name: "kinds are told apart by type and by namespace",
    async run(open) {
      await using store = await open();
      await store.create(Path, "a", spec(1));
      await store.create(Path, "a", spec(2), { namespace: "elsewhere" });
      await store.create(Other, "a", { size: 3 });
      const sizes = [
        (await store.get(Path, "a"))?.spec.size,
        (await store.get(Path, "a", { namespace: "elsewhere" }))?.spec.size,
        (await store.get(Other, "a"))?.spec.size,
      ];
      assert.deepEqual(sizes, [1, 2, 3]);
      assert.equal((await store.list(Path, { namespace: "elsewhere" })).length, 1);
      assert.equal((await store.core.list(kind)).length, 1);
    },
  },
  {
    name: "a spec that is no JSON value is misuse, and is not stored",
    async run(open) {
      await using store = await open();
      const odd = { size: 1, tags: [1n] } as unknown as ReturnType<typeof spec>;
      await assert.rejects(store.create(Path, "a", odd), {
        name: "TypeError",
        message: "spec.tags[0] of os/path(default/a) is not a JSON value",
      });
      await refused(store.create(Path, "b", spec(NaN)), "TypeError");
      await refused(store.create(Path, "\ud83d", spec()), "TypeError"); // half a character
      assert.deepEqual(await store.list(Path), []);
      const { metadata } = await store.create(Path, "c", spec());
      await refused(store.update({ metadata, spec: spec(NaN) }), "TypeError");
    },
  },
  {
    name: "a closed store refuses everything",
    async run(open) {
      const store = await open();
      await store.create(Path, "a", spec());
      await store.close();
      await store.close();
      await refused(store.create(Path, "b", spec()), "ERR_STORE_CLOSED");
      await refused(store.get(Path, "a"), "ERR_STORE_CLOSED");
      await refused(store.list(Path), "ERR_STORE_CLOSED");
    },
  },
];

const byBytes = (left: string, right: string) =>
  Buffer.compare(Buffer.from(left), Buffer.from(right));
