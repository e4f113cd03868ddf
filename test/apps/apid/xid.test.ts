import { at, manualClock, seconds, after, systemRandom, type Random } from "#runtime";
import { expect, test } from "vitest";
import { isXid, timeOfXid, xidSource } from "../../../src/apps/apid/xid.ts";

/** All bytes are the same. */
const constant = (byte: number): Random => ({
  bytes: (length) => new Uint8Array(length).fill(byte),
});

test("an id is what github.com/rs/xid makes of the same bytes", () => {
  // From its tests: 4d88e15b 60f486e428 412dc9
  const bytes: Readonly<Record<number, number[]>> = {
    5: [0x60, 0xf4, 0x86, 0xe4, 0x28],
    4: [0, 0x41, 0x2d, 0xc8],
  };
  const random: Random = { bytes: (length) => Uint8Array.from(bytes[length] ?? []) };
  const moment = at("2011-03-22T17:50:19Z");
  expect(xidSource(manualClock(moment), random)()).toBe("9m4e2mr0ui3e8a215n4g");
  expect(timeOfXid("9m4e2mr0ui3e8a215n4g")).toBe(moment);
  expect(isXid("9m4e2mr0ui3e8a215n4g")).toBe(true);
});

test.each([
  "",
  "9m4e2mr0ui3e8a215n4",
  "9m4e2mr0ui3e8a215n4h",
  "9M4e2mr0ui3e8a215n4g",
  "w".repeat(20),
])("%j is no id", (text) => {
  expect(isXid(text)).toBe(false);
});

test("ids sort as they were made, through the end of the counter and a clock that is set back", () => {
  const clock = manualClock(at("2030-01-01"));
  // The counter begins at the end of the first half, as far as it can.
  const next = xidSource(clock, constant(0xff));
  const ids: string[] = [];
  for (let i = 0; i < 300; i += 1) ids.push(next());
  clock.stepTo(at("2029-12-31"));
  ids.push(next());
  clock.advanceTo(after(at("2030-01-01"), seconds(1)));
  ids.push(next());
  expect(ids.every(isXid)).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(timeOfXid(ids.at(-1) ?? "")).toBe(clock.now());
});

test("two starts make different ids", () => {
  const clock = manualClock(at("2030-01-01"));
  expect(xidSource(clock, systemRandom)()).not.toBe(xidSource(clock, systemRandom)());
});
