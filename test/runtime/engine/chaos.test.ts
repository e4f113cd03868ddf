/**
 * Random changes while writes and watches fail and the order of work is random. While that goes on
 * nothing unsafe may happen; when it has ended everything has to come right. The seed names the run.
 */
import { expect, test } from "vitest";
import { fraction, pointerTo, seconds, WatchOverrunError } from "#runtime";
import { mount, seededRandom, type Mounted } from "#runtime/testing";
import { flaky, type FlakyCore } from "./flaky-core.ts";
import {
  Int,
  intsToStrs,
  intToStr,
  Sentence,
  START,
  Str,
  strToSentence,
  Sum,
  sum,
} from "./toys.ts";

const IDS = ["a", "b", "c", "d"];
const STEPS = 60;

type Dice = (sides: number) => number;

const changes: readonly ((t: Mounted, id: string, value: number) => Promise<unknown>)[] = [
  (t, id, value) => t.store.create(Int, id, { value }),
  (t, id, value) => t.store.modify(Int, id, (int) => void (int.value = value)),
  (t, id) => t.store.teardown(pointerTo(Int, id)),
  (t, id) => t.store.destroy(pointerTo(Int, id)),
  (t, id) => t.store.addFinalizers(pointerTo(Str, id), "somebody"),
  (t, id) => t.store.dropFinalizers(pointerTo(Str, id), "somebody"),
  (t) => t.advance(seconds(1)),
];

/** Every output has an input, and that has a finalizer as long as the output is there. */
function expectHeld(t: Mounted, owner: string) {
  for (const { metadata } of t.list(Str))
    expect(t.resource(Int, metadata.id)?.metadata.finalizers, metadata.id).toContain(owner);
  for (const { metadata } of t.list(Sentence))
    expect(t.resource(Str, metadata.id)?.metadata.finalizers, metadata.id).toContain(
      "test.StrToSentenceController",
    );
}

function misbehave(core: FlakyCore, roll: Dice, rates: { write: number; watch: number }) {
  core.beforeCommit = async () => {
    if (roll(100) < rates.write) throw new Error("disk full");
    if (roll(3) === 0) await new Promise((resolve) => setImmediate(resolve));
    if (roll(100) < rates.watch) core.failWatches(new WatchOverrunError("overrun"));
  };
}

/** Lets everybody go and waits until nothing more happens. */
async function calmDown(t: Mounted) {
  for (const { metadata } of t.list(Str))
    await t.store.dropFinalizers(pointerTo(Str, metadata.id), "somebody").catch(() => undefined);
  for (let round = 0; round < 4; round++) await t.advance(seconds(100));
  for (const { metadata } of t.list(Int))
    if (metadata.phase === "tearingDown") await t.destroy(Int, metadata.id);
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))("seed %i", async (seed) => {
  const random = seededRandom(seed);
  const roll: Dice = (sides) => Math.floor(fraction(random) * sides);
  const converter = roll(2) === 0 ? intsToStrs() : intToStr(1 + roll(3));
  const { wrap, core } = flaky();
  await using t = await mount([converter, strToSentence(), sum()], {
    now: START,
    seed,
    wrap,
    ...(roll(2) === 0 && { choose: (ready) => roll(ready.length) }),
  });
  misbehave(core(), roll, { write: roll(2) * roll(40), watch: roll(2) * roll(20) });
  for (let step = 0; step < STEPS; step++) {
    const change = changes[roll(changes.length)];
    const id = IDS[roll(IDS.length)] ?? "";
    await change?.(t, id, step).catch((error: unknown) =>
      expect(error).toHaveProperty("code", expect.stringMatching(/CONFLICT|EXISTS|FOUND|PENDING/)),
    );
    expectHeld(t, converter.name);
  }
  core().beforeCommit = () => {};
  await calmDown(t);
  const ints = t.list(Int).map(({ metadata, spec }) => [metadata.id, spec.value] as const);
  const texts = (kind: typeof Str) =>
    t.list(kind).map(({ metadata, spec }) => [metadata.id, spec.value]);
  expect(texts(Str)).toEqual(ints.map(([id, value]) => [id, String(value)]));
  expect(texts(Sentence)).toEqual(ints.map(([id, value]) => [id, `${value} sentence`]));
  expect(t.spec(Sum, "total")?.total).toBe(ints.reduce((total, [, value]) => total + value, 0));
});
