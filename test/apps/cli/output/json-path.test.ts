/** Kubernetes' JSONPath dialect, as print columns are written in it (talosctl-wire.md §4.3). */
import { describe, expect, test } from "vitest";
import { cellOf, parseJsonPath } from "../../../../src/apps/cli/output/json-path.ts";

const spec = {
  name: "apid",
  ready: true,
  days: 12,
  none: null,
  empty: [],
  dnsNames: ["a.example", "b.example", "c.example"],
  "odd.key": 1,
  roots: [
    { name: "os", left: 3 },
    { name: "etcd", left: 9 },
  ],
};
const cell = (template: string, value: unknown = spec) => cellOf(parseJsonPath(template), value);

test.each([
  ["{.name}", "apid"],
  ["{$.name}", "apid"],
  ["{.ready}", "true"],
  ["{.days}", "12"],
  ["{.none}", ""],
  ["{.missing.deeper}", ""],
  ["{.name.deeper}", ""],
  ["name: {.name}!", "name: apid!"],
  ['{.name}{"\\t"}{.days}', "apid\t12"],
  ["{['name']}", "apid"],
  ["{.odd\\.key}", "1"],
  ['{["odd.key"]}', "1"],
])("%s is %j", (template, expected) => expect(cell(template)).toBe(expected));

test.each([
  ["{.dnsNames[0]}", "a.example"],
  ["{.dnsNames[-1]}", "c.example"],
  ["{.dnsNames[*]}", "a.example b.example c.example"],
  ["{.dnsNames[:]}", "a.example b.example c.example"],
  ["{.dnsNames[1:]}", "b.example c.example"],
  ["{.dnsNames[:-1]}", "a.example b.example"],
  ["{.dnsNames[0:3:2]}", "a.example c.example"],
  ["{.dnsNames[0,2]}", "a.example c.example"],
  ["{.empty[:]}", ""],
  ["{.missing[:]}", ""],
  ["{.none[:]}", ""],
  ["{.roots[*].name}", "os etcd"],
  ["{..left}", "3 9"],
  ["{.roots.*.name}", "os etcd"],
  ['{.roots[?(@.name=="etcd")].left}', "9"],
  ["{.roots[?(@.left<5)].name}", "os"],
  ["{.roots[?(@.missing)].name}", ""],
  ["{range .roots[*]}{.name}={.left};{end}", "os=3;etcd=9;"],
])("%s is %j", (template, expected) => expect(cell(template)).toBe(expected));

test("objects and lists are compact JSON, keys sorted", () => {
  expect(cell("{.roots}", { roots: [{ b: 1, a: [] }] })).toBe('[{"a":[],"b":1}]');
});

describe("an error, as in Kubernetes", () => {
  test.each([
    ["{.dnsNames[3]}", "array index out of bounds: index 3, length 3"],
    ["{.empty[0]}", "array index out of bounds: index 0, length 0"],
    ["{.name[0]}", "apid is not array or slice"],
    ["{.name[?(@.x)]}", "apid is not array or slice"],
    ["{.dnsNames[2:1]}", "starting index 2 is greater than ending index 1"],
    ['{.roots[?(@.left=="3")]}', "incompatible types for comparison"],
    ["{.name", 'unclosed action in "{.name"'],
    ["{.dnsNames[x]}", 'invalid array index "x"'],
    ["{end}", "not in range, nothing to end"],
    ["{range .roots[*]}{.name}", "unterminated range"],
  ])("%s: %s", (template, message) => expect(() => cell(template)).toThrow(message));

  test("a missing key, where it is not allowed to be missing", () => {
    expect(() => cellOf(parseJsonPath("{.missing}", false), spec)).toThrow("missing is not found");
  });
});

test("what a column names is looked up, never run or inherited", () => {
  expect(cell("{.constructor}")).toBe("");
  expect(cell("{.dnsNames.length}")).toBe("");
  expect(cell("{['__proto__']}")).toBe("");
});
