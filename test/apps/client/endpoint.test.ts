import { expect, test } from "vitest";
import {
  EndpointInvalidError,
  formatEndpoint,
  parseEndpoint,
} from "../../../src/apps/client/index.ts";

test.each([
  ["10.5.0.2", "10.5.0.2", 50_000],
  ["10.5.0.2:6000", "10.5.0.2", 6000],
  ["node.example", "node.example", 50_000],
  ["node.example:1", "node.example", 1],
  ["fd00::1", "fd00::1", 50_000],
  ["::1", "::1", 50_000],
  ["[fd00::1]", "fd00::1", 50_000],
  ["[fd00::1]:6000", "fd00::1", 6000],
  ["https://node.example", "node.example", 443],
  ["https://node.example:8443/", "node.example", 8443],
  ["https://[fd00::1]", "fd00::1", 443],
  ["tcp://node.example", "node.example", 50_000],
])("%s", (text, host, port) => {
  expect(parseEndpoint(text)).toEqual({ host, port });
});

test("the port for those without one can be another", () => {
  expect(["::1", "a", "a:7", "https://a"].map((text) => parseEndpoint(text, 6000).port)).toEqual([
    6000, 6000, 7, 443,
  ]);
});

test.each(["", ":50000", "a:", "a:0", "a:65536", "a b", "[fd00::1", "[node]:1", "a/b", "a:b:c"])(
  "%j is refused",
  (text) => {
    expect(() => parseEndpoint(text)).toThrow(EndpointInvalidError);
  },
);

test("it is written with brackets around IPv6", () => {
  expect(formatEndpoint({ host: "fd00::1", port: 1 })).toBe("[fd00::1]:1");
  expect(formatEndpoint({ host: "10.5.0.2", port: 1 })).toBe("10.5.0.2:1");
});
