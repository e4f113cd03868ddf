import { of } from "rxjs";
import { expect, test } from "vitest";
import { WatchOverrunError } from "#runtime";
import { openMemoryStore, storeOver, type CoreStore } from "#runtime/store";
import { path, Path, spec } from "../../../src/runtime/conformance/store/suite.ts";
import { conforms } from "./conforms.ts";

/** A store that cannot decide on its own, like one on the other side of a wire. */
const withoutEdit = (core: CoreStore): CoreStore => ({
  atomic: core.atomic,
  get: async (pointer) => core.get(pointer),
  list: async (kind, query) => core.list(kind, query),
  commit: async (writes) => core.commit(writes),
  snapshot: async (kinds, read) => core.snapshot(kinds, read),
  watch: (pointer, options) => core.watch(pointer, options),
  watchKind: (kind, options) => core.watchKind(kind, options),
  close: async () => core.close(),
});

conforms(
  "a store without edits",
  async (options) => storeOver(withoutEdit(openMemoryStore(options).core)),
  ["atomic", "sameProcess"],
);

test("a modification that loses every race gives up in the end", async () => {
  const { core } = openMemoryStore();
  let commits = 0;
  const racing: CoreStore = {
    ...withoutEdit(core),
    async commit(writes) {
      commits += 1;
      const [resource] = await core.list({ namespace: Path.namespace, type: Path.type });
      if (resource) await core.commit([{ op: "update", resource }]);
      return core.commit(writes);
    },
  };
  await using store = storeOver(racing);
  await store.create(Path, "a", spec());
  await expect(store.modify(Path, "a", () => spec(1))).rejects.toMatchObject({
    code: "ERR_VERSION_CONFLICT",
  });
  expect(commits).toBe(101);
});

test("a wait ends when its watch fails", async () => {
  const { core } = openMemoryStore();
  const error = new WatchOverrunError("too slow");
  await using store = storeOver({
    ...withoutEdit(core),
    watch: () => of({ type: "errored", error }),
  });
  await expect(store.watchFor(Path, "a", { types: ["created"] })).rejects.toBe(error);
  await store.create(Path, "a", spec(), { finalizers: ["f"] });
  await expect(store.teardownAndDestroy(path("a"))).rejects.toBe(error);
});
