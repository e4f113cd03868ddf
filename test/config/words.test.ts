import { expect, test } from "vitest";
import {
  hostnameProblem,
  isToken,
  issueToken,
  readDuration,
  readTalosVersion,
  TalosVersionError,
} from "#config";
import { hours, minutes, type Random, seconds } from "#runtime";

test.each([
  ["v1.13", 13],
  ["v1.13.5", 13],
  ["v1.14.0-beta.1", 14],
])("%s is a version of Talos", (text, minor) => {
  expect(readTalosVersion(text)).toEqual({ major: 1, minor });
});

test.each(["1.13", "v1", "v1.13x", "latest", ""])("%j is no version of Talos", (text) => {
  expect(() => readTalosVersion(text)).toThrow(TalosVersionError);
});

test("a token has the form 6.16, and every character is drawn fairly", () => {
  let next = 0;
  const counting: Random = {
    bytes: (length) => Uint8Array.from({ length }, () => next++ % 256),
  };
  const seen = new Map<string, number>();
  // 252 fair bytes in 256: twelve tokens of 22 characters use 264 of them
  const text = Array.from({ length: 126 }, () => issueToken(counting))
    .map((token) => {
      expect(isToken(token)).toBe(true);
      return token.replace(".", "");
    })
    .join("");
  for (const character of text) seen.set(character, (seen.get(character) ?? 0) + 1);
  expect(seen.size).toBe(36);
  expect(new Set(seen.values())).toEqual(new Set([77]));
});

test.each(["abcdef.0123456789abcde", "ABCDEF.0123456789abcdef", "abcdef0123456789abcdef1", ""])(
  "%j is no token",
  (text) => {
    expect(isToken(text)).toBe(false);
  },
);

test.each([
  ["8760h0m0s", hours(8760)],
  ["1h30m", hours(1.5)],
  ["1.5s", seconds(1.5)],
  ["-5m", -minutes(5)],
  ["0", 0],
  ["1d", undefined],
  ["h", undefined],
  ["5", undefined],
])("%s is a duration of %s ms", (text, duration) => {
  expect(readDuration(text)).toBe(duration);
});

test.each(["a", "node-1", "n1.example.test", "a".repeat(63), "1a", "A"])(
  "%s may be the name of a machine",
  (name) => {
    expect(hostnameProblem(name)).toBeUndefined();
  },
);

test.each([
  ["", "it is empty"],
  ["bad host", "it is not a DNS name"],
  ["-x", "it is not a DNS name"],
  ["a..b", "it is not a DNS name"],
  ["a".repeat(64), "it is not a DNS name"],
  ["a".repeat(70), "it is longer than 64 characters"],
  [`${"a".repeat(60)}.bcde`, "it is longer than 64 characters"],
  ["1.2.3.4", "it is an address"],
  ["::1", "it is an address"],
  ["*.a.example", "it is a wildcard"],
  ["a.example.", "it ends in a dot"],
])("%j may not: %s", (name, problem) => {
  expect(hostnameProblem(name)).toContain(problem);
});
