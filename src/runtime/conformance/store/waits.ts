import assert from "node:assert/strict";
import { once } from "node:events";
import { StoreClosedError } from "../../store/closed.ts";
import { path, Path, record, refused, spec, type StoreCase } from "./suite.ts";

/** Waiting for a state: cosi.md §2.3. */
export const waits: readonly StoreCase[] = [
  {
    name: "waits for a state that is there already or comes (TestWatchFor)",
    async run(open) {
      await using store = await open();
      const created = store.watchFor(Path, "a", { types: ["created"] });
      const resource = await store.create(Path, "a", spec());
      assert.deepEqual(await created, resource);
      assert.deepEqual(await store.watchFor(Path, "a", { finalizersEmpty: true }), resource);
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
    name: "a signal lives as long as a resource that is not torn down (TestContextWithTeardown)",
    async run(open) {
      await using store = await open();
      const aborted = async (signal: AbortSignal) => {
        if (!signal.aborted) await once(signal, "abort");
      };
      await aborted(store.teardownSignal(path("a")));
      for (const end of ["destroy", "teardown"] as const) {
        await store.create(Path, "a", spec());
        const signal = store.teardownSignal(path("a"));
        await store.modify(Path, "a", (draft) => void (draft.size += 1));
        await store.addFinalizers(path("a"), "A");
        await store.dropFinalizers(path("a"), "A");
        assert.equal(signal.aborted, false);
        await store[end](path("a"));
        await aborted(signal);
      }
      await aborted(store.teardownSignal(path("a")));
    },
  },
  {
    name: "such a signal ends with another, and with the store",
    async run(open) {
      const store = await open();
      await store.create(Path, "a", spec());
      const abort = new AbortController();
      const first = store.teardownSignal(path("a"), { signal: abort.signal });
      const reason = new Error("enough");
      abort.abort(reason);
      assert.equal(first.reason, reason);
      assert.equal(store.teardownSignal(path("a"), { signal: abort.signal }).reason, reason);
      const last = store.teardownSignal(path("a"));
      const told = once(last, "abort");
      await store.close();
      await told;
      assert.ok(last.reason instanceof StoreClosedError);
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
      await watch.ends();
      await record(store.watchKind(Path)).ends("errored ERR_STORE_CLOSED");
    },
  },
];
