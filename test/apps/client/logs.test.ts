import { expect, test } from "vitest";
import type { Endpoints } from "../../../src/apps/client/failover.ts";
import { logCalls } from "../../../src/apps/client/log-calls.ts";
import { collect } from "../apid/running-node.ts";

/** The lines of a log that comes in these pieces. */
const linesIn = (...pieces: readonly (string | number[])[]) => {
  const endpoints: Endpoints = {
    ask: () => Promise.reject(new TypeError("it asks")),
    async *stream<Message>() {
      for (const piece of pieces) yield { bytes: Buffer.from(piece as string) } as Message;
    },
  };
  return collect(logCalls(endpoints).logs({ id: "apid" }));
};

test("pieces of a log end anywhere, also in the middle of a line and of a character", async () => {
  expect(await linesIn("a\nb\nc\n")).toEqual(["a", "b", "c"]);
  expect(await linesIn("a", "b\n\nc", "\n")).toEqual(["ab", "", "c"]);
  expect(await linesIn([0x78, 0xc3], [0xbc, 0x0a])).toEqual(["xü"]);
});

test("a last line without its end is one", async () => {
  expect(await linesIn("a\nb")).toEqual(["a", "b"]);
  expect(await linesIn()).toEqual([]);
});
