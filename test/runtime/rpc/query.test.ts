import { expect, test } from "vitest";
import { UnsupportedError } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
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
])("the id pattern %j is read", (regexp, matching, other) => {
  expect(pattern(regexp)?.test(matching)).toBe(true);
  expect(pattern(regexp)?.test(other)).toBe(false);
});

test.each([
  String.raw`(.|\S)`.repeat(26) + "x",
  "(a+)+$",
  "(",
  "a|b",
  "(?=a)b",
  String.raw`(a)\1`,
  String.raw`\1`,
  String.raw`\bx`,
  String.raw`\pL`,
  "[[:alpha:]]",
  "[]",
  "[a",
  "a**",
  "^*",
  "*",
  "a{",
  "a{1,2}{3,}",
  "a+b+",
  "a*b{2,}",
  ".{0,200}.{0,200}x",
  "a?".repeat(26) + "a".repeat(26),
  "a\\",
])("the id pattern %j, which could take long or is more than simple, is refused", (regexp) => {
  expect(() => pattern(regexp)).toThrow(UnsupportedError);
});

test("an id pattern is not longer than 256 characters, and has to parse", () => {
  expect(pattern("x".repeat(256))).toBeDefined();
  expect(() => pattern("x".repeat(257))).toThrow(
    "id patterns of more than 256 characters are not implemented",
  );
  expect(() => pattern("[z-a]")).toThrow(InvalidRequestError);
});

test("a refusal says where the pattern leaves what is read", () => {
  expect(() => pattern("ab(c)")).toThrow(
    /^id pattern "ab\(c\)": what stands at character 3 is not/,
  );
});

test("what is read does not stall", () => {
  const id = "a".repeat(1000);
  const began = process.hrtime.bigint();
  for (const regexp of [".*[a-z]?[a-z]?[a-z]?x", "a{100}a{100}a*a?a?a?b"])
    expect(pattern(regexp)?.test(id)).toBe(false);
  expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(1000);
});
