/** COSI's runtime suite for queued controllers (cosi.md §6.6, §8.2). */
import assert from "node:assert/strict";
import { RetryAtError } from "../controller-errors.ts";
import {
  all,
  defineController,
  destroyReady,
  each,
  exclusive,
  shared,
  strong,
} from "../controller.ts";
import { after, minutes } from "../instant.ts";
import { pointerTo } from "../resource.ts";
import {
  bench,
  heldBy,
  inPhase,
  Int,
  Sentence,
  Str,
  thereIs,
  type EngineCase,
} from "./engine-suite.ts";

const intToStr = (concurrency = 4) =>
  defineController({
    name: "QIntToStr",
    inputs: { int: strong(each(Int)) },
    outputs: { str: exclusive(Str) },
    concurrency,
    reconcile: ({ inputs, item }) => ({
      outputs: { str: { [item]: { value: String(inputs.int.spec.value) } } },
    }),
  });

/** What an item does by its value. */
const failing = (runs: string[] = []) =>
  defineController({
    name: "QFailing",
    inputs: { int: each(Int) },
    outputs: { str: exclusive(Str) },
    reconcile({ inputs: { int }, item, clock }) {
      runs.push(item);
      const { value } = int.spec;
      if (value === 1) throw new Error("failed");
      if (value === 2) throw "not even an error"; // eslint-disable-line @typescript-eslint/only-throw-error -- that is the case
      if (value === 3) throw new RetryAtError(after(clock.now(), 100), "soon");
      const outputs = { str: { [item]: { value: String(value) } } };
      return value === 4 ? { outputs, wakeAt: after(clock.now(), 100) } : { outputs };
    },
  });

export const queuedCases: readonly EngineCase[] = [
  {
    name: "items that are there before the start run, and follow updates",
    async run(open) {
      await using t = await bench(open, [intToStr()], (store) =>
        store.create(Int, "one", { value: 1 }),
      );
      await t.reads(Str, "one", { value: "1" });
      await t.create(Int, "two", { value: 2 });
      await t.update(Int, "two", (int) => void (int.value = 22));
      await t.reads(Str, "two", { value: "22" });
    },
  },
  {
    name: "an item is let go when its output is, at once or when somebody else lets go of that",
    async run(open) {
      await using t = await bench(open, [intToStr()]);
      await t.create(Int, "one", { value: 1 });
      await t.create(Int, "two", { value: 2 });
      await t.hold(Str, "two", "somebody");
      assert.equal(await t.teardown(Int, "one"), false);
      assert.equal(await t.teardown(Int, "two"), false);
      await t.shows(Int, "one", heldBy());
      await t.reads(Str, "one", null);
      await t.shows(Int, "two", heldBy("QIntToStr"));
      await t.shows(Str, "two", inPhase("tearingDown"));
      await t.letGo(Str, "two", "somebody");
      await t.reads(Str, "two", null);
      await t.shows(Int, "two", heldBy());
    },
  },
  {
    name: "an item that fails stops no other, and recovers when its input changes",
    async run(open) {
      await using t = await bench(open, [failing()]);
      for (const value of [1, 2, 3, 4]) await t.create(Int, `bad ${value}`, { value });
      await t.create(Int, "ok", { value: 5 });
      await t.reads(Str, "ok", { value: "5" });
      for (const value of [1, 2, 3]) await t.reads(Str, `bad ${value}`, null);
      await t.reads(Str, "bad 4", { value: "4" }); // written, and asked to run again
      for (const value of [1, 2, 3, 4])
        await t.update(Int, `bad ${value}`, (int) => void (int.value = 10 * value));
      for (const value of [1, 2, 3, 4])
        await t.reads(Str, `bad ${value}`, { value: String(10 * value) });
      assert.equal(await t.stateOf("QFailing"), "ready");
    },
  },
  {
    name: "an item runs again when it asked for that, after a failure too",
    async run(open) {
      const runs: string[] = [];
      await using t = await bench(open, [failing(runs)]);
      await t.create(Int, "retried", { value: 3 });
      await t.create(Int, "woken", { value: 4 });
      runs.length = 0;
      await t.advance(99);
      assert.deepEqual(runs, []);
      await t.advance(1);
      assert.deepEqual(runs.sort(), ["retried", "woken"]);
    },
  },
  {
    name: "what an item is reconciled for is torn down: its call ends, and the others go on",
    async run(open) {
      const ended: string[] = [];
      const busy = Promise.withResolvers<undefined>();
      const sleeping = defineController({
        name: "QSleeping",
        inputs: { int: strong(each(Int)) },
        outputs: { str: exclusive(Str) },
        async reconcile({ inputs: { int }, item, signal }) {
          if (int.spec.value === 0) {
            busy.resolve(undefined);
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            ended.push(item);
            throw new Error("woken");
          }
          return { outputs: { str: { [item]: { value: item } } } };
        },
      });
      await using t = await bench(open, [sleeping]);
      await t.store.create(Int, "a", { value: 0 });
      await busy.promise;
      await t.store.create(Int, "b", { value: 1 });
      assert.equal(await t.store.get(Str, "b"), undefined);
      await t.teardown(Int, "a");
      await t.reads(Str, "b", { value: "b" });
      assert.deepEqual(ended, ["a"]);
      assert.equal(await t.stateOf("QSleeping"), "ready");
      await t.reads(Str, "a", null);
    },
  },
  {
    name: "a mapped input concerns the items that it names, now and before it changed",
    async run(open) {
      const joined = defineController({
        name: "QJoined",
        inputs: {
          int: each(Int),
          words: all(Sentence, { items: ({ spec }) => spec.value.split(" ") }),
        },
        outputs: { str: exclusive(Str) },
        reconcile: ({ inputs, item }) => ({
          outputs: {
            str: {
              [item]: { value: inputs.words.map(({ metadata }) => metadata.id).join(" ") },
            },
          },
        }),
      });
      await using t = await bench(open, [joined], async (store) => {
        await store.create(Sentence, "before", { value: "a b" });
        await store.create(Int, "a", { value: 1 });
      });
      await t.reads(Str, "a", { value: "before" }); // replayed at the start
      await t.create(Int, "b", { value: 1 });
      await t.create(Sentence, "now", { value: "a" });
      await t.reads(Str, "a", { value: "before now" });
      await t.reads(Str, "b", { value: "before" });
      await t.update(Sentence, "now", (sentence) => void (sentence.value = "b"));
      await t.reads(Str, "a", { value: "before" });
      await t.reads(Str, "b", { value: "before now" });
      await t.destroy(Sentence, "before");
      await t.reads(Str, "a", { value: "" });
      await t.reads(Str, "b", { value: "now" });
    },
  },
  {
    name: "a destroy-ready input is seen, and is a reason to run, when nobody holds it any more",
    async run(open) {
      const runs: number[] = [];
      const ending = defineController({
        name: "Ending",
        inputs: { ints: destroyReady(all(Int)) },
        outputs: { ints: shared(Int) },
        reconcile({ inputs }) {
          runs.push(inputs.ints.length);
          return { destroys: inputs.ints };
        },
      });
      await using t = await bench(open, [ending]);
      await t.create(Int, "a", { value: 1 });
      await t.hold(Int, "a", "somebody");
      await t.teardown(Int, "a");
      assert.deepEqual(runs, [0]);
      await t.shows(Int, "a", thereIs);
      await t.letGo(Int, "a", "somebody");
      await t.reads(Int, "a", null);
      assert.equal(runs[1], 1);
      assert.deepEqual(
        t.engine.graph().map(({ edge, type }) => [edge, type]),
        [
          ["output-shared", Int.type],
          ["input-destroy-ready", Int.type],
        ],
      );
    },
  },
  {
    name: "a controller that sees inputs that are torn down says when they can go",
    async run(open) {
      const patient = defineController({
        name: "QPatient",
        inputs: { int: strong(each(Int, { phase: "any" })) },
        outputs: { str: exclusive(Str) },
        reconcile({ inputs: { int }, item }) {
          const { phase, annotations } = int.metadata;
          if (phase === "tearingDown" && annotations.go === "now") return { outputs: { str: {} } };
          return { outputs: { str: { [item]: { value: phase } } }, holds: [int] };
        },
      });
      await using t = await bench(open, [patient]);
      await t.create(Int, "a", { value: 1 });
      await t.reads(Str, "a", { value: "running" });
      await t.teardown(Int, "a");
      await t.reads(Str, "a", { value: "tearingDown" });
      await t.shows(Int, "a", heldBy("QPatient"));
      await t.store.modifyMetadata(
        pointerTo(Int, "a"),
        ({ annotations }) => void (annotations.go = "now"),
        { expectedPhase: "any" },
      );
      await t.reads(Str, "a", null);
      await t.shows(Int, "a", heldBy());
    },
  },
  {
    name: "an input that is torn down is held while nothing is returned, though there are no outputs",
    async run(open) {
      const silent = defineController({
        name: "QSilent",
        inputs: { int: strong(each(Int, { phase: "any" })) },
        outputs: {},
        reconcile: ({ inputs: { int } }) =>
          int.metadata.annotations.go === undefined ? undefined : { outputs: {} },
      });
      await using t = await bench(open, [silent]);
      await t.create(Int, "a", { value: 1 });
      await t.teardown(Int, "a");
      await t.shows(Int, "a", heldBy("QSilent"));
      await t.store.modifyMetadata(
        pointerTo(Int, "a"),
        ({ annotations }) => void (annotations.go = "now"),
        { expectedPhase: "any" },
      );
      await t.shows(Int, "a", heldBy());
    },
  },
  {
    name: "a run hook that fails runs again, and the shutdown hook comes after it",
    async run(open) {
      const log: string[] = [];
      const hooked = {
        ...intToStr(),
        async runHook(context: HookContext) {
          const { clock, signal } = context;
          log.push("hook");
          if (log.length === 1) throw new Error("not yet");
          await context.create(Str, "hook", { value: "0" }, { owner: "" });
          const value = String(clock.now() > 0);
          await context.modify(Str, "hook", () => ({ value }), { owner: "" });
          if (!signal.aborted)
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
          log.push("hook ended");
        },
        shutdownHook: () => void log.push("shutdown"),
      };
      await using t = await bench(open, [hooked]);
      await t.create(Int, "a", { value: 1 });
      await t.reads(Str, "a", { value: "1" });
      await t.advance(minutes(1));
      await t.store.watchFor(Str, "hook", {
        types: ["created", "updated"],
        matches: ({ spec }) => spec.value === "true",
      });
      await t.engine.stop();
      assert.deepEqual(log, ["hook", "hook", "hook ended", "shutdown"]);
    },
  },
];

type HookContext = Parameters<NonNullable<ReturnType<typeof intToStr>["runHook"]>>[0];
