import { describe, expect, test } from "vitest";
import { jsonRow, reached, resultsOf, type Measured } from "../../bench/results.ts";
import type { Group, MeasuredRow, Side } from "../../bench/row.ts";

type Values = Record<Side, readonly number[]>;

const rowOf = (part: Partial<MeasuredRow> = {}): MeasuredRow => ({
  ...{ group: "store", name: "create", unit: "operations/s", workload: "create" },
  ...{ size: { count: 1 }, quick: { count: 1 } },
  ...part,
});

const measuredOf = (row: MeasuredRow, values: Partial<Values>): Measured => ({
  row,
  values: { ours: [], go: [], ...values },
  remarks: [],
});

function resultOf(part: Partial<MeasuredRow>, values: Partial<Values>) {
  const row = rowOf(part);
  const [result] = resultsOf({ name: row.group, rows: [row] }, [measuredOf(row, values)]);
  return result!;
}

describe("a ratio", () => {
  test("is ours by Go's where more is better", () => {
    const { ratio } = resultOf({ unit: "items/s" }, { ours: [300], go: [100] });
    expect(ratio?.median).toBe(3);
  });

  test("is Go's by ours where less is better, so that higher is better still", () => {
    const { ratio } = resultOf({ unit: "bytes/resource" }, { ours: [500], go: [1000] });
    expect(ratio?.median).toBe(2);
  });

  test("is the median of those of the rounds, not the ratio of the medians", () => {
    const { ours, go, ratio } = resultOf({}, { ours: [10, 30, 20], go: [10, 10, 40] });
    expect([ours?.median, go?.median]).toEqual([20, 10]);
    expect(ratio).toEqual({ min: 0.5, median: 1, max: 3 });
  });

  test("holds each round against the median of a side that ran less often", () => {
    const { ratio } = resultOf({}, { ours: [10, 20, 60], go: [10] });
    expect(ratio).toEqual({ min: 1, median: 2, max: 6 });
  });

  test("is missing, and so is the target, where one side was not measured", () => {
    const { ratio, target } = resultOf({ target: 1 }, { ours: [10] });
    expect([ratio, target]).toEqual([null, null]);
  });
});

describe("what was asked of a row", () => {
  test("is reached by a ratio that is not below the target", () => {
    expect(reached(resultOf({ target: 2 }, { ours: [20], go: [10] }))).toBe(true);
    expect(reached(resultOf({ target: 2 }, { ours: [19], go: [10] }))).toBe(false);
  });

  test("as a limit is a least where more is better, and a most where less is", () => {
    expect(reached(resultOf({ limit: 10 }, { ours: [11] }))).toBe(true);
    expect(reached(resultOf({ limit: 10 }, { ours: [9] }))).toBe(false);
    expect(reached(resultOf({ limit: 10, unit: "ms" }, { ours: [11] }))).toBe(false);
    expect(reached(resultOf({ limit: 10, unit: "ms" }, { ours: [9] }))).toBe(true);
  });

  test("is neither reached nor missed where nothing is asked or measured", () => {
    expect(reached(resultOf({}, { ours: [1], go: [2] }))).toBeNull();
    expect(reached(resultOf({ limit: 10 }, {}))).toBeNull();
  });
});

describe("a group", () => {
  const rows = [
    rowOf({ name: "a", target: 1 }),
    rowOf({ name: "b", target: 1 }),
    rowOf({ name: "c" }), // nothing is asked of it
  ];
  const group: Group = { name: "store", rows, target: 1.5 };
  const measured = [
    measuredOf(rows[0]!, { ours: [10], go: [20] }),
    measuredOf(rows[1]!, { ours: [80], go: [10] }),
    measuredOf(rows[2]!, { ours: [1], go: [1000] }),
  ];

  test("ends with the geometric mean of the ratios that something is asked of", () => {
    const mean = resultsOf(group, measured).at(-1)!;
    expect(mean).toMatchObject({ name: "geometric mean", target: 1.5 });
    expect(mean.ratio?.median).toBeCloseTo(2, 12);
    expect(reached(mean)).toBe(true);
  });

  test("has no mean of one ratio", () => {
    const names = resultsOf(group, measured.slice(1)).map(({ name }) => name);
    expect(names).toEqual(["b", "c"]);
  });

  test("tells by how much one row is slower than another, round by round", () => {
    const slower = { group: "store", name: "slower", unit: "times", limit: 1.5 } as const;
    const slowdowns = [{ ...slower, from: "a", to: "b" }];
    const rates = [
      measuredOf(rows[0]!, { ours: [30, 20] }),
      measuredOf(rows[1]!, { ours: [20, 20] }),
    ];
    const found = resultsOf({ ...group, slowdowns }, rates).find(({ name }) => name === "slower")!;
    expect(found).toMatchObject({ ours: { min: 1, median: 1.25, max: 1.5 }, go: null, limit: 1.5 });
    expect(reached(found)).toBe(true);
  });
});

describe("a row of the JSON file", () => {
  test("has the medians under its full name and nothing else", () => {
    expect(jsonRow(resultOf({ target: 1 }, { ours: [1, 2, 3], go: [4, 4, 4] }))).toEqual({
      row: "store: create",
      ours: 2,
      go: 4,
      ratio: 0.5,
      target: 1,
      limit: null,
    });
  });

  test("without a Go side has its limit, and no Go, ratio and target", () => {
    expect(jsonRow(resultOf({ limit: 150, unit: "ms" }, { ours: [90] }))).toEqual({
      row: "store: create",
      ours: 90,
      go: null,
      ratio: null,
      target: null,
      limit: 150,
    });
  });
});
