import { expect, test } from "vitest";
import { formatTable, openTable } from "../../../../src/apps/cli/output/table.ts";

test("columns are as wide as their widest cell and three spaces; the last is not padded", () => {
  expect(
    formatTable([
      ["NODE", "ID", "STATE"],
      ["127.0.0.1", "apid-server", "Valid"],
      ["::1", "", "Expired"],
    ]),
  ).toBe(
    [
      "NODE        ID            STATE",
      "127.0.0.1   apid-server   Valid",
      "::1                       Expired",
      "",
    ].join("\n"),
  );
});

test("an empty last cell leaves the padding before it, as tabwriter does", () => {
  expect(
    formatTable([
      ["A", "B"],
      ["x", ""],
    ]),
  ).toBe("A   B\nx   \n");
});

test("width is counted in characters, not in UTF-16 units or bytes", () => {
  expect(
    formatTable([
      ["é🔑", "x"],
      ["abc", "y"],
    ]),
  ).toBe("é🔑    x\nabc   y\n");
});

test("rows that come later keep the columns where they were", () => {
  const table = openTable();
  table.rows(["NODE", "ID"], ["127.0.0.1", "a"]);
  expect(table.rows(["::1", "b"])).toBe("::1         b\n");
});

test("control characters from a node are shown, not obeyed", () => {
  expect(formatTable([["a\u001b[31m\nb"]])).toBe("a\\u001b[31m\\u000ab\n");
});
