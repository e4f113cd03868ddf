/** How often who was refused may come again. */
import { expect, test } from "vitest";
import { after, manualClock, minutes, seconds } from "#runtime";
import { openLimits } from "../../../src/apps/trustd/limits.ts";
import { START } from "./cluster.ts";

const BAD = "192.0.2.1";
const GOOD = "192.0.2.2";

/** An address that was refused so often. */
function refused(times: number) {
  const clock = manualClock(START);
  const limits = openLimits(clock);
  for (let i = 0; i < times; i++) limits.refused(`${BAD}:40000`, undefined, new Error("no"));
  const handshakes = (address: string, tries = 5000) =>
    Array.from({ length: tries }, () => limits.mayShakeHands(address)).filter(Boolean).length;
  return { clock, handshakes };
}

test("an address with twenty refusals behind it has less than 200 handshakes a second, others as many as they like", () => {
  const { clock, handshakes } = refused(20);
  handshakes(BAD); // what it has at once
  for (const second of [1, 2, 3]) {
    let done = 0;
    for (let ms = 10; ms <= 1000; ms += 10) {
      clock.advanceTo(after(START, seconds(second - 1) + ms));
      done += handshakes(BAD, 50);
    }
    expect(done).toBe(190);
  }
  expect(handshakes(GOOD)).toBe(5000);
});

test("one with fewer has not, and one that is refused no more is forgiven", () => {
  expect(refused(19).handshakes(BAD)).toBe(5000);
  const { clock, handshakes } = refused(20);
  expect(handshakes(BAD)).toBeLessThan(50);
  clock.advanceTo(after(START, minutes(1)));
  expect(handshakes(BAD)).toBe(5000);
});
