/** COSI's tests of the generic controllers (cosi.md §8.4). */
import assert from "node:assert/strict";
import { RetryAtError } from "../controller-errors.ts";
import { all, type Controller } from "../controller.ts";
import {
  cleanup,
  combine,
  destroy,
  destroyOutputs,
  hasNoOutputs,
  queuedTransform,
  transform,
  withdrawn,
} from "../generic/index.ts";
import { after, minutes } from "../instant.ts";
import { pointerTo, type Resource, type SpecOf } from "../resource.ts";
import {
  bench,
  heldBy,
  inPhase,
  Int,
  Sentence,
  Str,
  thereIs,
  type Bench,
  type EngineCase,
} from "./engine-suite.ts";

type IntResource = Resource<SpecOf<typeof Int>>;

const text = ({ spec }: IntResource) => {
  if (spec.value === 13) throw new Error("unlucky");
  return spec.value < 0 ? undefined : { value: String(spec.value) };
};

interface Variant {
  readonly what: string;
  readonly make: (options?: {
    readonly release?: (input: IntResource) => boolean;
    readonly sharing?: "shared";
  }) => Controller;
}

const base = { name: "Made", input: Int, output: Str, make: text };

/** Both transforms, where they do the same. */
const variants: readonly Variant[] = [
  { what: "transform", make: (rest) => transform({ ...base, tearingDown: "hold", ...rest }) },
  { what: "queued transform", make: (rest) => queuedTransform({ ...base, ...rest }) },
  {
    what: "queued transform of four at once",
    make: (rest) => queuedTransform({ ...base, concurrency: 4, ...rest }),
  },
];

const both = (
  name: string,
  run: (variant: Variant, open: Parameters<EngineCase["run"]>[0]) => Promise<void>,
): readonly EngineCase[] =>
  variants.map((variant) => ({
    name: `${variant.what}: ${name}`,
    run: (open) => run(variant, open),
  }));

const transformCases: readonly EngineCase[] = [
  ...both("maps, skips, and lets no input that fails be in the way", async ({ make }, open) => {
    await using t = await bench(open, [make()]);
    for (const [id, value] of Object.entries({ a: 1, bad: 13, skipped: -1, z: 2 }))
      await t.create(Int, id, { value });
    for (const [id, spec] of Object.entries({ a: { value: "1" }, bad: null, z: { value: "2" } }))
      await t.reads(Str, id, spec);
    await t.reads(Str, "skipped", null);
    assert.equal(await t.stateOf("Made"), "failing");
    await t.update(Int, "bad", (int) => void (int.value = 14));
    await t.reads(Str, "bad", { value: "14" });
    assert.equal(await t.stateOf("Made"), "ready");
    await t.update(Int, "a", (int) => void (int.value = 13));
    await t.reads(Str, "a", { value: "1" }); // it keeps what it has
  }),
  ...both("an output goes before its input, when others let it", async ({ make }, open) => {
    await using t = await bench(open, [make()]);
    await t.create(Int, "a", { value: 1 });
    await t.shows(Int, "a", heldBy("Made"));
    await t.hold(Str, "a", "somebody");
    await t.teardown(Int, "a");
    await t.shows(Str, "a", inPhase("tearingDown"));
    await t.shows(Int, "a", heldBy("Made"));
    await t.letGo(Str, "a", "somebody");
    await t.reads(Str, "a", null);
    await t.shows(Int, "a", heldBy());
  }),
  ...both(
    "an input goes when it is released, and a throw is no release",
    async ({ make }, open) => {
      let answer: boolean | "throw" = false;
      const release = () => {
        if (answer === "throw") throw new Error("cannot say");
        return answer;
      };
      await using t = await bench(open, [make({ release })]);
      await t.create(Int, "a", { value: 1 });
      await t.teardown(Int, "a");
      await t.shows(Int, "a", heldBy("Made"));
      answer = "throw";
      await touch(t);
      await t.reads(Str, "a", { value: "1" });
      assert.equal(await t.stateOf("Made"), "failing");
      answer = true;
      await t.advance(minutes(2));
      await t.reads(Str, "a", null);
      await t.shows(Int, "a", heldBy());
    },
  ),
  ...both("an input made anew waits for the old output to go", async ({ make }, open) => {
    await using t = await bench(open, [make()]);
    await t.create(Int, "a", { value: 1 });
    await t.hold(Str, "a", "somebody");
    await t.store.dropFinalizers(pointerTo(Int, "a"), "Made");
    await t.store.teardown(pointerTo(Str, "a"), { owner: "Made" });
    await t.update(Int, "a", (int) => void (int.value = 2));
    await t.reads(Str, "a", { value: "1" });
    await t.letGo(Str, "a", "somebody");
    await t.reads(Str, "a", { value: "2" });
    await t.shows(Str, "a", inPhase("running"));
  }),
  ...both("a shared output leaves those of others alone", async ({ make }, open) => {
    await using t = await bench(open, [make({ sharing: "shared" })]);
    await t.create(Str, "other", { value: "x" });
    await t.create(Int, "a", { value: 1 });
    await t.teardown(Int, "a");
    await t.reads(Str, "other", { value: "x" });
  }),
  {
    name: "transform: an input that is torn down can be like any other",
    async run(open) {
      await using t = await bench(open, [transform({ ...base, tearingDown: "ignore" })]);
      await t.create(Int, "a", { value: 1 });
      await t.hold(Int, "a", "somebody");
      await t.teardown(Int, "a");
      await t.reads(Str, "a", { value: "1" });
      await t.letGo(Int, "a", "somebody");
      await t.destroy(Int, "a");
      await t.reads(Str, "a", null);
    },
  },
  {
    name: "transform: hooks are called around each run and at the end, not for each input",
    async run(open) {
      const log: string[] = [];
      const controller = transform({
        ...base,
        before: () => void log.push("before"),
        after: () => void log.push("after"),
        shutdownHook: () => void log.push("shutdown"),
      });
      await using t = await bench(open, [controller], async (store) => {
        for (const id of ["a", "b", "c"]) await store.create(Int, id, { value: 1 });
      });
      await t.reads(Str, "c", { value: "1" });
      await t.engine.stop();
      assert.deepEqual([log.slice(0, 2), log.at(-1)], [["before", "after"], "shutdown"]);
      assert.ok(log.length <= 5);
    },
  },
];

/** A change of an input that is torn down. */
const touch = async (t: Bench): Promise<void> => {
  await t.store.modifyMetadata(
    pointerTo(Int, "a"),
    ({ annotations }) => void (annotations.touched = "yes"),
    { expectedPhase: "any" },
  );
  await t.engine.settled();
};

const queuedCases: readonly EngineCase[] = [
  {
    name: "queued transform: an output is withdrawn on request, and one that is not there is fine",
    async run(open) {
      const make = (int: IntResource) => (int.spec.value === 0 ? withdrawn : text(int));
      await using t = await bench(open, [queuedTransform({ ...base, make })]);
      await t.create(Int, "never", { value: 0 });
      await t.create(Int, "a", { value: 1 });
      await t.hold(Str, "a", "somebody");
      await t.update(Int, "a", (int) => void (int.value = 0));
      await t.shows(Str, "a", inPhase("tearingDown"));
      await t.letGo(Str, "a", "somebody");
      await t.reads(Str, "a", null);
      await t.reads(Str, "never", null);
      assert.equal(t.engine.metrics().qcontroller_crashes.Made, 0);
    },
  },
  ...(["Until", "While"] as const).map((word): EngineCase => ({
    name: `queued transform: finalizers of others put off a teardown (${word.toLowerCase()})`,
    async run(open) {
      const list = { [`ignoreTeardown${word}`]: word === "Until" ? ["last"] : ["slow"] };
      await using t = await bench(open, [queuedTransform({ ...base, ...list })]);
      await t.create(Int, "a", { value: 1 });
      await t.hold(Int, "a", "slow", "last");
      await t.teardown(Int, "a");
      await t.reads(Str, "a", { value: "1" });
      await t.shows(Int, "a", heldBy("Made", "slow", "last"));
      await t.letGo(Int, "a", "slow");
      await t.reads(Str, "a", null);
      await t.shows(Int, "a", heldBy("last"));
    },
  })),
  {
    name: "queued transform: ids are mapped there and back, and a mapped input reaches its item",
    async run(open) {
      const controller = queuedTransform({
        ...base,
        outputId: ({ metadata }) => `of ${metadata.id}`,
        inputId: (id) => id.slice("of ".length),
        extraInputs: {
          notes: all(Sentence, { items: ({ metadata }) => [metadata.labels.int ?? ""] }),
        },
        make: ({ spec }, { inputs }) => ({
          value: [spec.value, ...inputs.notes.map((note) => note.spec.value)].join(" "),
        }),
      });
      await using t = await bench(open, [controller]);
      await t.create(Int, "a", { value: 1 });
      await t.create(Sentence, "note", { value: "noted" }, { labels: { int: "a" } });
      await t.reads(Str, "of a", { value: "1 noted" });
      await t.destroy(Sentence, "note");
      await t.reads(Str, "of a", { value: "1" });
      await t.hold(Str, "of a", "somebody");
      await t.teardown(Int, "a");
      await t.letGo(Str, "of a", "somebody");
      await t.shows(Int, "a", heldBy());
    },
  },
  {
    name: "queued transform: asks to run again, with and without a failure",
    async run(open) {
      const answers = ["fail", "later", "done"];
      let runs = 0;
      const controller = queuedTransform({
        ...base,
        make(int, { clock, wakeAt }) {
          const answer = answers[runs++];
          if (answer === "fail") throw new RetryAtError(after(clock.now(), 250), "later");
          if (answer === "later") wakeAt(after(clock.now(), 250));
          return text(int);
        },
      });
      await using t = await bench(open, [controller]);
      await t.create(Int, "a", { value: 1 });
      await t.advance(249);
      await t.reads(Str, "a", null);
      await t.advance(1);
      await t.reads(Str, "a", { value: "1" });
      assert.equal(runs, 2);
      await t.advance(minutes(10));
      assert.equal(runs, 3);
    },
  },
];

const cleaned = (handler: Parameters<typeof cleanup>[0]["handler"]) =>
  cleanup({ name: "Cleaned", input: Int, handler });

/** An output hangs on the input that its id begins with. */
const items = ({ metadata }: Pick<Resource, "metadata">) => [metadata.id.split("-")[0] ?? ""];

const cleanupCases: readonly EngineCase[] = [
  {
    name: "cleanup: an input waits until the last output is gone",
    async run(open) {
      const handler = combine(hasNoOutputs(Str, { items }), hasNoOutputs(Sentence, { items }));
      await using t = await bench(open, [cleaned(handler)]);
      await t.create(Int, "a", { value: 1 });
      await t.create(Str, "a-1", { value: "x" });
      await t.create(Sentence, "a-1", { value: "x" });
      await t.create(Str, "b-1", { value: "x" });
      assert.equal(await t.teardown(Int, "a"), false);
      await t.destroy(Str, "a-1");
      await t.shows(Int, "a", heldBy("Cleaned"));
      await t.destroy(Sentence, "a-1");
      await t.shows(Int, "a", heldBy());
      await t.reads(Str, "b-1", { value: "x" });
    },
  },
  {
    name: "cleanup: outputs of nobody and of named owners are destroyed first, others left alone",
    async run(open) {
      const handler = destroyOutputs(Str, { items, owners: ["friend"] });
      await using t = await bench(open, [cleaned(handler)]);
      await t.create(Int, "a", { value: 1 });
      await t.create(Str, "a-free", { value: "x" });
      await t.create(Str, "a-held", { value: "x" }, { finalizers: ["somebody"] });
      await t.create(Str, "a-friend", { value: "x" }, { owner: "friend" });
      await t.create(Str, "a-other", { value: "x" }, { owner: "other" });
      await t.create(Str, "b", { value: "x" });
      await t.teardown(Int, "a");
      await t.reads(Str, "a-free", null);
      await t.reads(Str, "a-friend", null);
      await t.shows(Str, "a-held", inPhase("tearingDown"));
      await t.shows(Int, "a", heldBy("Cleaned"));
      await t.letGo(Str, "a-held", "somebody");
      await t.reads(Str, "a-held", null);
      await t.shows(Int, "a", heldBy());
      await t.shows(Str, "a-other", inPhase("running"));
      await t.shows(Str, "b", inPhase("running"));
    },
  },
  {
    name: "cleanup: handlers that are combined come one after the other",
    async run(open) {
      const handler = combine(destroyOutputs(Str, { items }), hasNoOutputs(Str, { items }));
      await using t = await bench(open, [cleaned(handler)]);
      await t.create(Int, "a", { value: 1 });
      await t.create(Str, "a-1", { value: "x" });
      await t.teardown(Int, "a");
      await t.reads(Str, "a-1", null);
      await t.shows(Int, "a", heldBy());
      assert.throws(() => combine(), TypeError);
    },
  },
  {
    name: "destroy: what is torn down, nobody's and held by nobody is destroyed, nothing else is",
    async run(open) {
      await using t = await bench(open, [destroy(Int, { concurrency: 2 })]);
      await t.create(Int, "free", { value: 1 });
      await t.create(Int, "held", { value: 1 }, { finalizers: ["somebody"] });
      await t.create(Int, "owned", { value: 1 }, { owner: "other" });
      await t.create(Int, "running", { value: 1 });
      await t.teardown(Int, "free");
      await t.teardown(Int, "held");
      await t.teardown(Int, "owned", "other");
      await t.reads(Int, "free", null);
      for (const id of ["held", "owned", "running"]) await t.shows(Int, id, thereIs);
      await t.letGo(Int, "held", "somebody");
      await t.reads(Int, "held", null);
    },
  },
];

export const genericCases: readonly EngineCase[] = [
  ...transformCases,
  ...queuedCases,
  ...cleanupCases,
];
