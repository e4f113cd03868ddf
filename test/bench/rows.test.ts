import { expect, test } from "vitest";
import { fullName } from "../../bench/row.ts";
import { groups } from "../../bench/rows.ts";
import { markdown, table } from "../../bench/table.ts";
import { resultsOf } from "../../bench/results.ts";

const rows = groups.flatMap((group) => group.rows);

test("every row has a name of its own", () => {
  const names = rows.map(fullName);
  expect(new Set(names).size).toBe(names.length);
});

test("a row is held against Go or against a limit, never both", () => {
  for (const { target, limit } of rows)
    expect(target !== undefined && limit !== undefined).toBe(false);
});

test("what one row is compared with is a row of the group", () => {
  for (const { rows: members, slowdowns = [] } of groups)
    for (const { from, to } of slowdowns)
      for (const name of [from, to]) expect(members.map((row) => row.name)).toContain(name);
});

test("both tables have every result, with the spread where there is one", () => {
  const [group] = groups;
  const measured = group!.rows.map((row) => ({
    row,
    values: { ours: [1, 2, 3000], go: [1, 1, 1] },
    remarks: [],
  }));
  const results = resultsOf(group!, measured);
  for (const text of [table(results), markdown(results)]) {
    for (const { name } of results) expect(text).toContain(name);
    expect(text).toContain("2 (1–3,000)");
  }
  const lines = markdown(results).split("\n");
  expect(new Set(lines.map((line) => line.split("|").length))).toEqual(new Set([9]));
});
