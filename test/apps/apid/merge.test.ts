/** How many nodes are asked at a time. */
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { ASKED_MAX, mergeReplies, type Named } from "../../../src/apps/apid/forwarding/merge.ts";

test("sixteen nodes are waited for at a time, and one that fails makes room as well", async () => {
  const asked: { node: string; answer: () => void; fail: () => void }[] = [];
  let changed = () => {};
  const count = (wanted: number) =>
    new Promise<void>((resolve) => {
      changed = () => asked.length >= wanted && resolve();
      changed();
    });
  const nodes = Array.from({ length: ASKED_MAX + 2 }, (_, i) => `node-${i}`);
  const merged = mergeReplies<Named>(
    nodes.map((hostname) => ({ hostname, isLocal: false })),
    {
      own: async () => ({}),
      ask: (node) =>
        new Promise((resolve, reject) => {
          asked.push({ node, answer: () => resolve([{}]), fail: () => reject(new Error("down")) });
          changed();
        }),
      empty: () => ({}),
      statusOf: () => ({ code: status.UNAVAILABLE, details: "down" }),
    },
  );
  await count(ASKED_MAX);
  await new Promise(setImmediate); // whoever else would be asked has been by now
  expect(asked).toHaveLength(ASKED_MAX);
  asked[3]?.fail();
  await count(ASKED_MAX + 1);
  asked[0]?.answer();
  await count(ASKED_MAX + 2);
  asked.forEach(({ answer }) => answer());
  const answers = await merged;
  expect(answers.map(({ metadata }) => metadata?.hostname)).toEqual(nodes);
  expect(answers.filter(({ metadata }) => metadata?.error !== "")).toHaveLength(1);
});
