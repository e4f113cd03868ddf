import { expect, test } from "vitest";
import { Ring } from "../../../src/apps/apid/index.ts";
import { collect } from "./running-node.ts";

const ringOf = (itemsMax: number, ...items: readonly string[]) => {
  const ring = new Ring<string>({ itemsMax });
  for (const item of items) ring.append(item);
  return ring;
};

test("the last items are held, by number and by weight", () => {
  const ring = ringOf(2, "a", "b", "c");
  expect([ring.first, ring.end, ring.items]).toEqual([1, 3, ["b", "c"]]);
  const weighed = new Ring<string>({
    ...{ itemsMax: 10, weightMax: 5, weightOf: ({ length }: string) => length },
  });
  for (const item of ["aa", "bb", "cc"]) weighed.append(item);
  expect(weighed.items).toEqual(["bb", "cc"]);
});

test("a reader gets what there is, stays for what comes, and ends with its signal", async () => {
  const ring = ringOf(10, "a", "b");
  const leave = new AbortController();
  const reading = ring.read({ from: 1, signal: leave.signal });
  expect((await reading.next()).value).toEqual({ items: ["b"], lost: 0 });
  const next = reading.next();
  ring.append("c");
  expect((await next).value).toEqual({ items: ["c"], lost: 0 });
  const last = reading.next();
  leave.abort();
  expect((await last).done).toBe(true);
});

test("a reader that only looks back ends where it was told to", async () => {
  const ring = ringOf(10, "a", "b", "c");
  const pieces = await collect(ring.read({ from: 0, to: 2 }));
  expect(pieces).toEqual([{ items: ["a", "b"], lost: 0 }]);
  expect(await collect(ring.read({ from: 3, to: 3 }))).toEqual([]);
});

test("a slow reader is told how many it has missed", async () => {
  const ring = ringOf(2, "a");
  const reading = ring.read({ from: 0, to: 6 });
  await reading.next();
  for (const item of ["b", "c", "d", "e"]) ring.append(item);
  expect((await reading.next()).value).toEqual({ items: ["d", "e"], lost: 2 });
  ring.append("f");
  expect((await reading.next()).value).toEqual({ items: ["f"], lost: 0 });
  expect((await reading.next()).done).toBe(true);
});

test("what is gone before a reader that looks back gets to it ends that, too", async () => {
  const ring = ringOf(1, "a", "b");
  const reading = ring.read({ from: 1, to: 2 });
  for (const item of ["c", "d", "e"]) ring.append(item);
  const pieces = await collect(reading);
  expect(pieces).toEqual([{ items: [], lost: 3 }]);
});

test("readers have caught up when each has dealt with the last item, or is gone", async () => {
  const ring = ringOf(10, "a");
  const [slow, gone] = [ring.read({ from: 0 }), ring.read({ from: 0 })];
  await Promise.all([slow.next(), gone.next()]);
  let done = false;
  const caughtUp = ring.caughtUp().then(() => (done = true));
  const leaving = gone.return();
  await leaving;
  expect(done).toBe(false);
  const waiting = slow.next(); // comes back for more: it has dealt with the first
  await caughtUp;
  expect(done).toBe(true);
  ring.append("b");
  await waiting;
});
