import type { Store } from "../../store/state.ts";
import { Other, path, Path, record, spec, type StoreCase } from "./suite.ts";

/** The life of one resource, between that of others. */
async function live(store: Store): Promise<void> {
  await store.create(Path, "a", spec());
  await store.modify(Path, "a", (draft) => void (draft.size = 1));
  await store.create(Path, "b", spec());
  await store.create(Other, "a", { size: 0 });
  await store.modify(Path, "a", (draft) => void (draft.size = 2));
  await store.teardown(path("a"));
  await store.create(Path, "a", spec(), { namespace: "elsewhere" });
  await store.destroy(path("a"));
}
const ofA = [
  ...["created a@1", "updated a@2 was a@1", "updated a@3 was a@2", "updated a@4 was a@3"],
  "destroyed a@4",
];
const ofKind = ofA.toSpliced(2, 0, "created b@1");

/** Watches that begin with what was last: cosi.md §2.6. */
export const tails: readonly StoreCase[] = [
  {
    name: "a watch of a kind begins with the newest events (TestWatchKindWithTailEvents)",
    async run(open) {
      await using store = await open();
      await live(store);
      const all = record(store.watchKind(Path, { tailEvents: 1000 }));
      const some = record(store.watchKind(Path, { tailEvents: 2 }));
      await all.news(...ofKind);
      await some.news(...ofKind.slice(-2));
      await store.create(Path, "c", spec());
      await all.news("created c@1");
      await some.news("created c@1");
    },
  },
  {
    name: "a watch of one resource begins with its newest events (TestWatchWithTailEvents)",
    async run(open) {
      await using store = await open();
      const none = record(store.watch(Path, "a", { tailEvents: 1000 }));
      await live(store);
      const all = record(store.watch(Path, "a", { tailEvents: 1000 }));
      const some = record(store.watch(Path, "a", { tailEvents: 2 }));
      await none.news(...ofA);
      await all.news(...ofA);
      await some.news(...ofA.slice(-2));
      await store.create(Path, "a", spec());
      await all.news("created a@1");
      await some.news("created a@1");
    },
  },
  {
    name: "the newest events are counted before the query, and shown through it",
    async run(open) {
      await using store = await open();
      await live(store);
      const missed = record(store.watchKind(Path, { tailEvents: 3, query: { id: /b/ } }));
      const found = record(store.watchKind(Path, { tailEvents: 4, query: { id: /b/ } }));
      await found.news("created b@1");
      await store.destroy(path("b"));
      await missed.shows("destroyed b@1");
      await found.news("destroyed b@1");
    },
  },
  {
    name: "a watch with a bookmark has one from before the newest events that it begins with",
    async run(open) {
      await using store = await open();
      await live(store);
      const watch = record(store.watchKind(Path, { tailEvents: 2, bootstrapBookmark: true }));
      await watch.shows("noop", ...ofKind.slice(-2));
      const [first] = watch.events;
      if (first?.type !== "noop") throw new TypeError("the first event is another");
      const { bookmark: startFromBookmark } = first;
      const resumed = record(store.watchKind(Path, { startFromBookmark }));
      await resumed.shows(...ofKind.slice(-2));
    },
  },
];
