/** The parts of the engine that are plain data structures. */
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { instantOf, manualClock, type Instant } from "#runtime";
import { seededRandom } from "#runtime/testing";
import { Activity } from "../../../src/runtime/engine/activity.ts";
import { retryDelay } from "../../../src/runtime/backoff.ts";
import { Fifo } from "../../../src/runtime/engine/fifo.ts";
import { keyOf } from "../../../src/runtime/engine/lane.ts";
import { WakeUps } from "../../../src/runtime/engine/wake-ups.ts";

test("delays grow by half up to a minute, and are spread by half", () => {
  const fixed = (byte: number) => ({
    bytes: (length: number) => new Uint8Array(length).fill(byte),
  });
  const middle = { bytes: () => Uint8Array.of(0x80, 0, 0, 0) };
  expect([1, 2, 3, 12, 13, 1000].map((attempt) => retryDelay(attempt, middle))).toEqual([
    500, 750, 1125, 43_249, 60_000, 60_000,
  ]);
  expect(retryDelay(1, fixed(0))).toBe(250);
  expect(retryDelay(1, fixed(255))).toBe(750);
});

test("a fifo gives back what it got, in order, whatever is taken from its middle", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.nat(9).map((n) => ({ take: n })),
          fc.constant("push"),
          fc.constant("shift"),
        ),
      ),
      (steps) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        steps.forEach((step, place) => {
          if (step === "push") {
            fifo.push(place);
            model.push(place);
          } else if (step === "shift") expect(fifo.shift()).toBe(model.shift());
          else if (typeof step === "object")
            expect(fifo.take(step.take)).toBe(
              step.take < model.length ? model.splice(step.take, 1)[0] : undefined,
            );
          expect([...fifo]).toEqual(model);
          expect(fifo.size).toBe(model.length);
        });
      },
    ),
  );
});

describe("wake-ups", () => {
  test("ring in the order of their instants, each once, replaced and cancelled as asked", () => {
    const step = fc.record({
      subject: fc.nat(5),
      when: fc.option(fc.integer({ min: 1, max: 50 })),
      advance: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = manualClock(instantOf(0));
        const rung: (readonly [number, number])[] = [];
        const wakeUps = new WakeUps<number>(clock, (subject) => rung.push([clock.now(), subject]));
        const model = new Map<number, number>();
        const expected: (readonly [number, number])[] = [];
        let now = 0;
        const advance = (to: number) => {
          const due = [...model].filter(([, when]) => when <= to);
          for (const [subject] of due) model.delete(subject);
          expected.push(...due.map(([subject, when]) => [Math.max(when, now), subject] as const));
          now = to;
          clock.advanceTo(instantOf(to));
        };
        for (const { subject, when, advance: by } of steps) {
          if (when === null) model.delete(subject);
          else model.set(subject, now + when);
          wakeUps.set(subject, when === null ? null : instantOf(now + when));
          expect(clock.nextAlarm()).toBe(
            model.size === 0 ? undefined : Math.min(...model.values()),
          );
          advance(now + by);
        }
        advance(now + 100);
        const sorted = (list: typeof rung) => [...list].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(sorted(rung)).toEqual(sorted(expected));
        expect(rung.map(([at]) => at)).toEqual(sorted(rung).map(([at]) => at));
      }),
    );
  });

  test("that are replaced a thousand times do not pile up, and the last one counts", () => {
    const clock = manualClock(instantOf(0));
    const rung: Instant[] = [];
    const wakeUps = new WakeUps<string>(clock, () => rung.push(clock.now()));
    for (let i = 1000; i > 0; i--) wakeUps.set("a", instantOf(i));
    for (let i = 0; i < 1000; i++) wakeUps.set("a", instantOf(500 + i));
    clock.advanceTo(instantOf(5000));
    expect(rung).toEqual([1499]);
  });

  test("that are cleared do not ring", () => {
    const clock = manualClock(instantOf(0));
    const wakeUps = new WakeUps<string>(clock, () => expect.fail("it rang"));
    wakeUps.set("a", instantOf(1));
    wakeUps.clear();
    expect(clock.nextAlarm()).toBeUndefined();
    clock.advanceTo(instantOf(5));
  });
});

test("activity is settled when as much has ended as has begun, or when it is closed", async () => {
  const activity = new Activity();
  await activity.settled();
  activity.begin();
  activity.begin();
  let settled = 0;
  const waits = [activity.settled(), activity.settled()].map((wait) => wait.then(() => settled++));
  activity.end();
  activity.end();
  activity.begin(); // before anybody was told
  await Promise.resolve();
  await Promise.resolve();
  expect(settled).toBe(0);
  activity.close();
  await Promise.all(waits);
  await activity.settled();
});

test("no two resources have the same key", () => {
  const text = fc.constantFrom("", "a", "b", " ", "1 a", "1", "a 1 b", "0 ");
  const pointer = fc.record({ namespace: text, type: text, id: text });
  fc.assert(
    fc.property(pointer, pointer, (left, right) => {
      const same = JSON.stringify(left) === JSON.stringify(right);
      expect(keyOf(left) === keyOf(right)).toBe(same);
    }),
  );
});

test("the seeded random source gives the same bytes for the same seed, and spreads them", () => {
  const bytes = (seed: number) => [...seededRandom(seed).bytes(1000)];
  expect(bytes(1)).toEqual(bytes(1));
  expect(bytes(1)).not.toEqual(bytes(2));
  const mean = bytes(3).reduce((sum, byte) => sum + byte, 0) / 1000;
  expect(Math.abs(mean - 127.5)).toBeLessThan(10);
});
