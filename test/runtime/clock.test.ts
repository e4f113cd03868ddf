/** Clocks tell that they were set, as alarms stay at their instants. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { after, days, instantOf, manualClock, minutes, seconds, systemClock } from "#runtime";
import { START } from "./engine/toys.ts";

/** Follows the steps of the clock of this machine, until it is disposed. */
function follower() {
  const steps: number[] = [];
  const end = systemClock.onStep(() => steps.push(systemClock.now()));
  return { steps, end, [Symbol.dispose]: end };
}

describe("the clock of this machine", () => {
  beforeEach(() => void vi.useFakeTimers({ now: START }));
  afterEach(() => void vi.useRealTimers());

  test.each([
    ["back by years", -4 * days(365)],
    ["back by a little more than it takes", -seconds(11)],
    ["forward", days(365)],
    ["forward by a little more than it takes", seconds(11)],
  ])("tells within a minute, and once, that it was set %s", (_, by) => {
    using first = follower();
    using second = follower();
    vi.advanceTimersByTime(minutes(10));
    expect(first.steps).toEqual([]);
    vi.setSystemTime(systemClock.now() + by);
    vi.advanceTimersByTime(minutes(1));
    expect(first.steps).toEqual([START + minutes(11) + by]);
    expect(second.steps).toEqual(first.steps);
    vi.advanceTimersByTime(minutes(10));
    expect(first.steps).toHaveLength(1);
  });

  test("tells nothing when it is slewed, or was set while nobody listened", () => {
    using early = follower();
    for (let minute = 0; minute < 10; minute++) {
      vi.setSystemTime(systemClock.now() - seconds(9));
      vi.advanceTimersByTime(minutes(1));
    }
    expect(early.steps).toEqual([]);
    early.end();
    vi.setSystemTime(0);
    using late = follower();
    vi.advanceTimersByTime(minutes(2));
    expect([early.steps, late.steps]).toEqual([[], []]);
  });

  test("needs one timer for all who listen, none for nobody, and tells nobody twice", () => {
    expect(vi.getTimerCount()).toBe(0);
    const followers = [follower(), follower(), follower()];
    expect(vi.getTimerCount()).toBe(1);
    followers[0]?.end();
    followers[0]?.end();
    expect(vi.getTimerCount()).toBe(1);
    for (const { end } of followers) end();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("rings no alarm early for having been set back", () => {
    const rung: number[] = [];
    systemClock.alarm(after(START, seconds(30)), () => rung.push(systemClock.now()));
    vi.setSystemTime(START - days(1));
    vi.advanceTimersByTime(days(1));
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(minutes(1));
    expect(rung).toEqual([START + seconds(30)]);
  });
});

test("who listens for steps of the clock does not keep the process alive", () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  using listening = follower();
  expect(timers()).toBe(before);
  expect(listening.steps).toEqual([]);
});

test("a clock that is moved by hand tells of steps, and not of time that passes", () => {
  const clock = manualClock(START);
  const steps: number[] = [];
  const ends = [1, 2].map(() => clock.onStep(() => steps.push(clock.now())));
  clock.advanceTo(after(START, days(1)));
  expect(steps).toEqual([]);
  clock.stepTo(instantOf(5));
  expect(steps).toEqual([5, 5]);
  ends[0]?.();
  ends[0]?.();
  clock.stepTo(instantOf(6));
  expect(steps).toEqual([5, 5, 6]);
});
