import { expect, test } from "vitest";
import { UnsupportedError } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import type { LabelTerm_Operation } from "../../../src/runtime/rpc/gen/v1alpha1/resource.ts";
import { readQuery } from "../../../src/runtime/rpc/query.ts";

const pattern = (regexp: string) => readQuery([], { regexp })?.id;

test.each([
  ["^idquery/.+[2-4]$", "idquery/path-3", "idquery/path-5"],
  ["1$", "a1", "1a"],
  ["^eth[0-9]+$", "eth12", "eth"],
  [String.raw`^10\.5\.0\.\d$`, "10.5.0.2", "10x5.0.2"],
  [String.raw`^a\-b\_\/c[\-\]x]$`, "a-b_/c]", "a-b_/cy"],
  ["^a{2}b{2}[^/]{1,3}$", "aabbxy", "abxy"],
  ["^https?s?://x}]$", "http://x}]", "httpx"],
  [String.raw`^\w.*?Z$`, "aßZ", "/Z"],
  ["^(?:tcp|udp)-[[:digit:]]+$", "udp-53", "sctp-53"],
  [String.raw`(?i)^\pL+\b`, "ÜBER x", "1"],
  ["(a+)+$", "baa", "b"],
])("the id pattern %j is read", (regexp, matching, other) => {
  expect(pattern(regexp)?.test(matching)).toBe(true);
  expect(pattern(regexp)?.test(other)).toBe(false);
});

// The right half is what Go's regexp says of the same patterns.
test.each([
  ["(", "missing closing ): `(`"],
  ["(?=a)b", "invalid or unsupported Perl syntax: `(?=`"],
  ["(?<=a)b", "invalid named capture: `(?<=a)b`"],
  [String.raw`(a)\1`, "invalid escape sequence: `\\1`"],
  [String.raw`a\Z`, "invalid escape sequence: `\\Z`"],
  ["[z-a]", "invalid character class range: `z-a`"],
  ["a**", "invalid nested repetition operator: `**`"],
  ["*", "missing argument to repetition operator: `*`"],
  ["a{1001}", "invalid repeat count: `{1001}`"],
  ["((a{100}){100}){100}", "invalid repeat count: `{100}`"],
])("the id pattern %j, which Go refuses, is refused", (regexp, problem) => {
  expect(() => pattern(regexp)).toThrow(InvalidRequestError);
  expect(() => pattern(regexp)).toThrow(problem);
});

test("an id pattern is not longer than 1024 characters", () => {
  expect(pattern("x".repeat(1024))).toBeDefined();
  expect(() => pattern("x".repeat(1025))).toThrow(UnsupportedError);
});

test("no pattern takes more than linear time", () => {
  const id = "a".repeat(20_000);
  const began = process.hrtime.bigint();
  for (const regexp of ["(a*)*b", "(a|aa)+$x", "(.*)(.*)(.*)(.*)x"])
    expect(pattern(regexp)?.test(id)).toBe(false);
  expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(2000);
});

const labels = (op: number, value: string[], invert = false) =>
  readQuery([{ terms: [{ key: "k", op: op as LabelTerm_Operation, value, invert }] }], undefined)
    ?.labels;

test.each([
  [0, [], "exists"],
  [1, ["v"], "equal"],
  [3, ["v", "w"], "in"],
  [3, [], "in"],
  [4, ["v"], "lt"],
  [5, ["v"], "lte"],
  [6, ["5"], "ltNumeric"],
  [7, ["5"], "lteNumeric"],
] as const)("label operation %i is read", (op, value, name) => {
  expect(labels(op, [...value], true)).toMatchObject([[{ key: "k", op: name, invert: true }]]);
});

test("the deprecated NOT_EXISTS is EXISTS inverted, whatever its own flag says", () => {
  expect(labels(2, [])).toEqual([[{ key: "k", op: "exists", invert: true }]]);
  expect(labels(2, [], true)).toEqual([[{ key: "k", op: "exists", invert: true }]]);
});

test("operations that need a value are refused without one, unknown ones always", () => {
  for (const op of [1, 4, 5, 6, 7]) expect(() => labels(op, [])).toThrow(InvalidRequestError);
  expect(() => labels(99, ["v"])).toThrow(UnsupportedError);
});
