import { instantOf } from "#runtime";
import { lasting, type Verdict, type WorldView } from "#runtime/simulation";
import { expect, test } from "vitest";

const at = (now: number): WorldView => ({ now: instantOf(now) }) as unknown as WorldView;

function looked(verdicts: readonly (readonly [now: number, Verdict])[], duration: number) {
  let verdict: Verdict = true;
  const property = lasting(duration, () => verdict);
  return verdicts.map(([now, next]) => {
    verdict = next;
    return property(at(now));
  });
}

test("a problem counts once it was there for longer than that", () => {
  expect(
    looked(
      [
        [0, ["a"]],
        [10, ["a"]],
        [11, ["a"]],
      ],
      10,
    ),
  ).toEqual([[], [], ["a"]]);
});

test("one that was gone in between begins anew", () => {
  expect(
    looked(
      [
        [0, ["a"]],
        [6, []],
        [12, ["a"]],
        [18, ["a"]],
      ],
      10,
    ),
  ).toEqual([[], [], [], []]);
  expect(
    looked(
      [
        [0, ["a"]],
        [6, true],
        [12, ["a"]],
      ],
      10,
    ),
  ).toEqual([[], true, []]);
});

test("each problem has a time of its own, and a bare no has one too", () => {
  expect(
    looked(
      [
        [0, ["a"]],
        [8, ["a", "b"]],
        [11, ["a", "b"]],
      ],
      10,
    ),
  ).toEqual([[], [], ["a"]]);
  expect(
    looked(
      [
        [0, false],
        [11, false],
      ],
      10,
    ),
  ).toEqual([[], ["it does not hold"]]);
});
