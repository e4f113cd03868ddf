import assert from "node:assert/strict";
import type { LabelTerm } from "../../query.ts";
import { path, Path, record, spec, type StoreCase } from "./suite.ts";

/** Queries by label and id: cosi.md §2.5. */
export const queries: readonly StoreCase[] = [
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
      await one.news("created 1@1", "bootstrapped");
      await common.news("created 1@1", "bootstrapped");
      await either.news("bootstrapped");
      await store.create(Path, "2", spec(), { labels: { label: "label2" } });
      await store.modifyMetadata(path("2"), (draft) => void (draft.labels.common = "yes"));
      await store.modify(Path, "2", (draft) => void (draft.size = 1));
      await store.modifyMetadata(path("2"), (draft) =>
        Reflect.deleteProperty(draft.labels, "common"),
      );
      await store.destroy(path("2"));
      await common.news("created 2@2", "updated 2@3 was 2@2", "destroyed 2@4");
      await either.news(
        "created 2@1",
        "updated 2@2 was 2@1",
        "updated 2@3 was 2@2",
        "updated 2@4 was 2@3",
        "destroyed 2@4",
      );
      await one.news();
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
      const each = (event: string) => ids.slice(2, 5).map((id) => `${event} ${id}@1`);
      await watch.shows(...each("created"), "bootstrapped");
      for (const id of ids) await store.destroy(path(id));
      await watch.shows(...each("created"), "bootstrapped", ...each("destroyed"));
    },
  },
  {
    name: "lists can be narrowed by labels (TestLabels)",
    async run(open) {
      await using store = await open();
      const label = async (id: string, labels: Record<string, string>) =>
        store.create(Path, id, spec(), { labels });
      await label("c", { app: "app1", stage: "init", weight: "10kg" });
      await label("b", { app: "app2", stage: "initramfs", weight: "20kg" });
      await label("a", { app: "app3" });
      const ids = async (...labels: LabelTerm[][]) =>
        (await store.list(Path, { labels })).map(({ metadata }) => metadata.id).join("");
      const term = (key: string, op: LabelTerm["op"], ...values: string[]) => ({ key, op, values });
      const not = (positive: LabelTerm) => ({ ...positive, invert: true });
      assert.equal(await ids(), "abc");
      assert.equal(await ids([term("app", "exists")]), "abc");
      assert.equal(await ids([term("app", "exists"), term("stage", "equal", "init")]), "c");
      assert.equal(await ids([term("app", "equal", "nope")]), "");
      assert.equal(await ids([term("app", "in", "app1", "app3")]), "ac");
      assert.equal(
        await ids([term("app", "equal", "app3")], [term("stage", "equal", "init")]),
        "ac",
      );
      assert.equal(await ids([not(term("stage", "equal", "init"))]), "ab");
      assert.equal(await ids([term("weight", "ltNumeric", "12000")]), "c");
      assert.equal(await ids([term("weight", "lteNumeric", "20000")]), "bc");
      assert.equal(await ids([term("app", "lt", "app2")]), "c");
      assert.equal(await ids([term("app", "lte", "app2")]), "bc");
      assert.equal(await ids([not(term("weight", "ltNumeric", "12000"))]), "b"); // "a" has none
    },
  },
];
