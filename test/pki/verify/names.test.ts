import { expect, test } from "vitest";
import { matchesDnsName } from "../../../src/pki/verify/index.ts";

test.each([
  ["example.com", "example.com"],
  ["Example.COM", "eXample.com"],
  ["example.com", "example.com."],
  ["localhost", "localhost"],
  ["node_1.example.com", "node_1.example.com"],
  ["*.example.com", "a.example.com"],
  ["*.example.com", "xn--628h.example.com"],
])("%s stands for %s", (presented, wanted) => {
  expect(matchesDnsName(presented, wanted)).toBe(true);
});

test.each([
  ["example.com", "a.example.com"],
  ["*.example.com", "example.com"],
  ["*.example.com", "a.b.example.com"],
  ["*.example.com", ".example.com"],
  ["*.example.com", "*.example.com"],
  ["a.*.com", "a.b.com"],
  ["a*.example.com", "ab.example.com"],
  ["*", "localhost"],
  ["", ""],
  ["example.com.", "example.com"],
  [".example.com", "a.example.com"],
  ["192.0.2.1", "192.0.2.1"],
  ["*.0.2.1", "192.0.2.1"],
  ["example.com\0.evil.test", "example.com"],
])("%j does not stand for %j", (presented, wanted) => {
  expect(matchesDnsName(presented, wanted)).toBe(false);
});
