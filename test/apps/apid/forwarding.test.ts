/** Requests for other nodes, asked of one of three (talosctl-wire.md §1.4, talos-pki.md §8.2–8.3). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Note } from "./running-node.ts";
import { startThree, type Three } from "./three-nodes.ts";

const notes = { namespace: "test", type: Note.type };

let three: Three;
beforeAll(async () => {
  three = await startThree();
});
afterAll(() => three[Symbol.asyncDispose]());

test("a request names another node, which answers", async () => {
  const client = await three.client();
  expect((await client.version({ node: "127.0.0.3" })).sha).toBe("127.0.0.3");
  expect(await client.list(notes, { node: "127.0.0.4" })).toMatchObject([
    { metadata: { id: "127.0.0.4" } },
  ]);
});
