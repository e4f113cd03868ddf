import { expect, test } from "vitest";
import { run, type Measure } from "../../bench/harness.ts";
import type { Group, MeasuredRow } from "../../bench/row.ts";

const rowOf = (name: string, part: Partial<MeasuredRow> = {}): MeasuredRow => ({
  ...{ group: "g", name, unit: "items/s", workload: name },
  ...{ size: { count: 100 }, quick: { count: 1 } },
  ...part,
});

async function course(
  rows: readonly MeasuredRow[],
  plan: { rounds?: number; isQuick?: boolean; withGo?: boolean; measure?: Measure },
) {
  const order: string[] = [];
  const measure: Measure = async (side, row, size) => {
    order.push(`${row.name} ${side} ${size.count}`);
    return plan.measure?.(side, row, size) ?? 1;
  };
  const group: Group = { name: "g", rows };
  const { rounds = 1, isQuick = false, withGo = true } = plan;
  const outcome = await run({ groups: [group], rounds, isQuick, withGo, measure });
  return { order, measured: outcome.measured.get(group)!, failures: outcome.failures };
}

test("both sides of a row run next to each other, and take turns in going first", async () => {
  const { order } = await course([rowOf("a"), rowOf("b")], { rounds: 2 });
  const first = ["a ours 100", "a go 100", "b ours 100", "b go 100"];
  expect(order).toEqual([...first, "a go 100", "a ours 100", "b go 100", "b ours 100"]);
});

test("a row with a limit has no Go side, and without Go no row has one", async () => {
  expect((await course([rowOf("a", { limit: 1 })], {})).order).toEqual(["a ours 100"]);
  expect((await course([rowOf("a")], { withGo: false })).order).toEqual(["a ours 100"]);
});

test("a side that is slow runs as often as its row says", async () => {
  const { order } = await course([rowOf("a", { rounds: { go: 1 } })], { rounds: 3 });
  expect(order.filter((line) => line.startsWith("a go"))).toHaveLength(1);
  expect(order.filter((line) => line.startsWith("a ours"))).toHaveLength(3);
});

test("a quick run measures less, and says what of Go it leaves out", async () => {
  const rows = [rowOf("a"), rowOf("b", { tooSlowForQuick: "it takes minutes" })];
  const { order, measured, failures } = await course(rows, { isQuick: true });
  expect(order).toEqual(["a ours 1", "a go 1", "b ours 1"]);
  expect(measured[1]?.remarks).toEqual(["Go is left out of a quick run: it takes minutes"]);
  expect(failures).toBe(0);
});

test("no round is begun that would end too late, but the first one is run", async () => {
  let now = 0;
  const measured: number[] = [];
  const measure: Measure = async () => {
    measured.push((now += 10)); // two sides: 20 a round
    return 1;
  };
  const rest = { rounds: 9, isQuick: false, withGo: true, measure };
  const groups: Group[] = [{ name: "g", rows: [rowOf("a")] }];
  await run({ ...rest, groups, end: { at: 70, now: () => now } });
  expect(measured).toEqual([10, 20, 30, 40, 50, 60]);
  await run({ ...rest, groups, end: { at: 1, now: () => now } });
  expect(measured).toHaveLength(8);
});

test("what cannot be measured is told, not tried again, and stops nothing else", async () => {
  const measure: Measure = async (side, { name }) => {
    if (name === "a" && side === "go") throw new Error("no such workload");
    return 1;
  };
  const { order, measured, failures } = await course([rowOf("a"), rowOf("b")], {
    rounds: 2,
    measure,
  });
  expect(order.filter((line) => line.startsWith("a"))).toEqual(["a ours 100", "a go 100"]);
  expect(measured[0]?.remarks).toEqual(["go failed: no such workload"]);
  expect(measured[1]?.values).toEqual({ ours: [1, 1], go: [1, 1] });
  expect(failures).toBe(1);
});
