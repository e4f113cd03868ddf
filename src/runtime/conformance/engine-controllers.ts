/** COSI's runtime suite for controllers that see all of their inputs at once (cosi.md §8.2). */
import assert from "node:assert/strict";
import {
  all,
  defineController,
  defineRunner,
  exclusive,
  maybe,
  one,
  resource,
  shared,
  strong,
} from "../controller.ts";
import { RegistrationError } from "../errors.ts";
import { minutes } from "../instant.ts";
import { pointerTo } from "../resource.ts";
import { bench, heldBy, Int, Sentence, Str, type EngineCase } from "./engine-suite.ts";

const intToStr = () =>
  defineController({
    name: "IntToStr",
    inputs: { ints: strong(all(Int)) },
    outputs: { strs: exclusive(Str) },
    reconcile: ({ inputs }) => ({
      outputs: {
        strs: Object.fromEntries(
          inputs.ints.map(({ metadata, spec }) => [metadata.id, { value: String(spec.value) }]),
        ),
      },
    }),
  });

const sum = (name: string, inputs = all(Int), id = "sum") =>
  defineController({
    name,
    inputs: { ints: inputs },
    outputs: { sums: shared(Str) },
    reconcile: ({ inputs }) => ({
      outputs: {
        sums: {
          [id]: { value: String(inputs.ints.reduce((total, { spec }) => total + spec.value, 0)) },
        },
      },
    }),
  });

/** Has one output more at each run, and fails each time; the second time without any. */
const failing = () => {
  let runs = 0;
  return defineController({
    name: "Failing",
    inputs: {},
    outputs: { strs: shared(Str) },
    reconcile({ held }) {
      const run = String(runs++);
      if (run === "1") throw new Error("no outputs");
      const strs = { ...held.strs, [run]: { value: run } };
      return { outputs: { strs }, failure: new Error(`run ${run}`) };
    },
  });
};

export const controllerCases: readonly EngineCase[] = [
  {
    name: "an engine without controllers starts and stops",
    async run(open) {
      await using t = await bench(open, []);
      assert.deepEqual(t.engine.graph(), []);
    },
  },
  {
    name: "an input is held while it has an output: create, update, tear down",
    async run(open) {
      await using t = await bench(open, [intToStr()], (store) =>
        store.create(Int, "one", { value: 1 }),
      );
      await t.create(Int, "two", { value: 2 });
      await t.reads(Str, "one", { value: "1" });
      await t.reads(Str, "two", { value: "2" });
      await t.update(Int, "two", (int) => void (int.value = 33));
      await t.reads(Str, "two", { value: "33" });
      assert.equal(await t.teardown(Int, "one"), false);
      await t.reads(Str, "one", null);
      await t.shows(Int, "one", heldBy());
      await t.destroy(Int, "one");
      await t.reads(Str, "two", { value: "33" });
    },
  },
  {
    name: "a chain of controllers, the second with inputs that it sets itself",
    async run(open) {
      const toSentence = defineRunner({
        name: "StrToSentence",
        inputs: {},
        outputs: { sentences: exclusive(Sentence) },
        async run({ changes, publish, updateInputs }) {
          await updateInputs({ strs: strong(all(Str)) });
          for await (const inputs of changes) {
            const { strs = [] } = (inputs ?? {}) as { strs?: readonly StrResource[] };
            const made = strs.map(({ metadata, spec }) => [
              metadata.id,
              resource({ value: `${spec.value} sentence` }, { labels: { combined: "" } }),
            ]);
            await publish({ sentences: Object.fromEntries(made) as never });
          }
        },
      });
      await using t = await bench(open, [intToStr(), toSentence]);
      await t.create(Int, "one", { value: 1 });
      await t.shows(
        Sentence,
        "one",
        ({ metadata, spec }) => spec.value === "1 sentence" && metadata.labels.combined === "",
      );
      await t.update(Int, "one", (int) => void (int.value = 2));
      await t.reads(Sentence, "one", { value: "2 sentence" });
      assert.equal(await t.teardown(Int, "one"), false);
      await t.reads(Sentence, "one", null);
      await t.reads(Str, "one", null);
      await t.shows(Int, "one", heldBy());
    },
  },
  {
    name: "a sum over nothing is there at once, and follows what comes and goes",
    async run(open) {
      await using t = await bench(open, [sum("Sum")]);
      await t.reads(Str, "sum", { value: "0" });
      await t.create(Int, "one", { value: 1 });
      await t.create(Int, "two", { value: 2 });
      await t.reads(Str, "sum", { value: "3" });
      await t.destroy(Int, "one");
      await t.reads(Str, "sum", { value: "2" });
    },
  },
  {
    name: "a query says which inputs count",
    async run(open) {
      const terms = [
        { key: "counts", op: "exists" as const },
        { key: "app", op: "equal" as const, values: ["app1"] },
      ];
      await using t = await bench(open, [sum("Sum", all(Int, { query: { labels: [terms] } }))]);
      const counted = { labels: { counts: "yes", app: "app1" } };
      await t.reads(Str, "sum", { value: "0" });
      await t.create(Int, "other", { value: 1 }, { labels: { counts: "yes", app: "app2" } });
      await t.create(Int, "two", { value: 2 }, counted);
      await t.reads(Str, "sum", { value: "2" });
      await t.create(Int, "three", { value: 3 }, counted);
      await t.reads(Str, "sum", { value: "5" });
      await t.destroy(Int, "two");
      await t.reads(Str, "sum", { value: "3" });
    },
  },
  {
    name: "controllers registered while the engine runs see what is there",
    async run(open) {
      await using t = await bench(open, []);
      await t.create(Int, "one", { value: 1 });
      await t.create(Int, "two", { value: 4 });
      await t.engine.register(sum("A", all(Int), "a"), sum("B", all(Int), "b"));
      const total = defineController({
        name: "Total",
        inputs: { a: one(Str, "a"), b: one(Str, "b") },
        outputs: { sums: shared(Str) },
        reconcile: ({ inputs: { a, b } }) => ({
          outputs: {
            sums: { total: { value: String(Number(a.spec.value) + Number(b.spec.value)) } },
          },
        }),
      });
      await t.engine.register(total);
      await t.reads(Str, "total", { value: "10" });
      await t.update(Int, "one", (int) => void (int.value = 2));
      await t.reads(Str, "total", { value: "12" });
    },
  },
  {
    name: "a registration that is refused changes nothing",
    async run(open) {
      await using t = await bench(open, [intToStr()]);
      const before = t.engine.graph();
      await assert.rejects(
        t.engine.register(sum("Other", all(Int)), intToStr()),
        (error) =>
          error instanceof RegistrationError &&
          error.message.includes(
            `resource "${Str.type}" is already managed in exclusive mode by "IntToStr"`,
          ),
      );
      assert.deepEqual(t.engine.graph(), before);
      const other = { ...sum("Other"), outputs: {}, reconcile: () => undefined };
      await t.engine.register(other); // its name was not taken
      await t.create(Int, "one", { value: 1 });
      await t.reads(Str, "one", { value: "1" });
    },
  },
  {
    name: "a controller that throws, or returns a failure, is run again and again",
    async run(open) {
      await using t = await bench(open, [failing()]);
      await t.reads(Str, "0", { value: "0" });
      assert.equal(await t.stateOf("Failing"), "failing");
      await t.advance(minutes(1));
      await t.reads(Str, "1", null);
      await t.reads(Str, "2", { value: "2" });
      await t.reads(Str, "3", { value: "3" });
    },
  },
  {
    name: "outputs whose inputs went go too, and those of others stay",
    async run(open) {
      const doubler = defineController({
        name: "Doubler",
        inputs: { ints: all(Int) },
        outputs: { doubles: shared(Str) },
        reconcile: ({ inputs }) => ({
          outputs: {
            doubles: Object.fromEntries(
              inputs.ints.map(({ metadata: { id }, spec }) => [
                id,
                { value: String(2 * spec.value) },
              ]),
            ),
          },
        }),
      });
      await using t = await bench(open, [doubler]);
      await t.create(Str, "somebody's", { value: "x" });
      for (const value of [1, 2, 3]) await t.create(Int, String(value), { value });
      for (const value of [1, 2, 3])
        await t.reads(Str, String(value), { value: String(2 * value) });
      await t.destroy(Int, "2");
      await t.reads(Str, "2", null);
      await t.reads(Str, "3", { value: "6" });
      await t.reads(Str, "somebody's", { value: "x" });
    },
  },
  {
    name: "what modify returns to a runner is what is stored, when it creates and when it updates",
    async run(open) {
      const returned: unknown[] = [];
      const runner = defineRunner({
        name: "Modifier",
        inputs: { int: maybe(Int, "a") },
        outputs: { strs: exclusive(Str) },
        async run(context) {
          for await (const inputs of context.changes) {
            const value = String(inputs?.int?.spec.value);
            const { metadata, spec } = await context.modify(Str, "out", () => ({ value }), {
              initial: { value: "" },
            });
            returned.push([metadata.id, metadata.owner, spec.value]);
          }
        },
      });
      await using t = await bench(open, [runner]);
      await t.create(Int, "a", { value: 7 });
      await t.reads(Str, "out", { value: "7" });
      assert.deepEqual(returned, [
        ["out", "Modifier", "undefined"],
        ["out", "Modifier", "7"],
      ]);
    },
  },
  {
    name: "metrics count wake-ups, writes and crashes",
    async run(open) {
      const controller = defineController({
        name: "Counted",
        inputs: { int: maybe(Int, "a") },
        outputs: { strs: exclusive(Str) },
        reconcile({ inputs }) {
          if (inputs.int?.spec.value === 13) throw new Error("unlucky");
          return { outputs: { strs: { a: { value: "x" } } } };
        },
      });
      await using t = await bench(open, []);
      assert.deepEqual(t.engine.metrics().controller_wakeups, {});
      await t.engine.register(controller);
      await t.engine.settled();
      const first = t.engine.metrics();
      assert.equal(first.controller_wakeups.Counted, 1);
      assert.equal(first.controller_writes.Counted, 1);
      assert.equal(first.controller_crashes.Counted, 0);
      await t.create(Int, "a", { value: 13 });
      await t.shows(Int, "a", ({ spec }) => spec.value === 13);
      const second = t.engine.metrics();
      assert.equal(second.controller_wakeups.Counted, 2);
      assert.equal(second.controller_crashes.Counted, 1);
      assert.equal(second.controller_writes.Counted, 1);
    },
  },
  {
    name: "what a controller did not declare it cannot touch",
    async run(open) {
      const refused: string[] = [];
      const runner = defineRunner({
        name: "Nosy",
        inputs: { weak: maybe(Int, "weak"), held: strong(maybe(Int, "held")) },
        outputs: { strs: exclusive(Str) },
        async run(context) {
          const weak = pointerTo(Int, "weak");
          const tries = {
            "get another id": () => context.get(Int, "other"),
            "get another kind": () => context.get(Sentence, "a"),
            "list by id": () => context.list(Int),
            "write an input": () => context.modify(Int, "weak", () => undefined),
            "destroy an input": () => context.destroy(weak),
            "hold a weak input": () => context.addFinalizers(weak, "Nosy"),
            "hold an output": () => context.addFinalizers(pointerTo(Str, "a"), "Nosy"),
          };
          for (const [name, attempt] of Object.entries(tries))
            await attempt().catch((error: unknown) => {
              if (error instanceof Error && "code" in error)
                refused.push(`${name}: ${String(error.code)}`);
            });
          await context.get(Int, "weak");
          await context.create(Str, "a", { value: "x" });
          await context.list(Str);
          await context.addFinalizers(pointerTo(Int, "held"), "Nosy");
          await context.dropFinalizers(pointerTo(Int, "held"), "Nosy");
          await context.create(Str, "free", { value: "x" }, { owner: "" });
          await context.teardown(pointerTo(Str, "free"), { owner: "" });
          await context.destroy(pointerTo(Str, "free"), { owner: "" });
        },
      });
      await using t = await bench(open, [runner], async (store) => {
        await store.create(Int, "weak", { value: 1 });
        await store.create(Int, "held", { value: 1 });
      });
      await t.shows(Str, "a", ({ metadata }) => metadata.owner === "Nosy");
      assert.equal(refused.length, 7, refused.join("\n"));
      assert.ok(
        refused.every((line) => line.endsWith("ERR_CONTROLLER_ACCESS")),
        refused.join("\n"),
      );
      await t.engine.stop(); // after the last of the calls
      assert.equal(await t.store.get(Str, "free"), undefined);
    },
  },
];

interface StrResource {
  readonly metadata: { readonly id: string };
  readonly spec: { readonly value: string };
}
