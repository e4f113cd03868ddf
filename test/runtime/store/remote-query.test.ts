/** A query that throws ends its own watch, over the wire too. */
import { expect, test } from "vitest";
import { openMemoryStore } from "#runtime/store";
import { openRemoteStore } from "#runtime/store/remote";
import { Int } from "../engine/toys.ts";
import { serveAt, temporaryDirectory } from "./remote-server.ts";

test("a query that throws is the error of its watch", async () => {
  await using folder = await temporaryDirectory();
  await using store = openMemoryStore();
  await using _ = await serveAt(folder.path("s"), store);
  await using remote = openRemoteStore({ address: `unix:${folder.path("s")}`, kinds: [Int] });
  const id = {
    test: (): boolean => {
      throw new RangeError("no such id");
    },
  };
  const failed = new Promise((resolve) => {
    remote.watchKind(Int, { query: { id }, bootstrapContents: true }).subscribe({ error: resolve });
  });
  await remote.create(Int, "a", { value: 1 });
  expect(await failed).toMatchObject({ message: "no such id" });
  expect(await remote.get(Int, "a")).toMatchObject({ spec: { value: 1 } });
});
