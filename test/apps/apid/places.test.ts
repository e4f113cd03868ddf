/** Where other nodes are called, and who hears why one is not reached. */
import { expect, test } from "vitest";
import { placeOf } from "../../../src/apps/apid/forwarding/place.ts";
import { Note } from "./running-node.ts";
import { startThree } from "./three-nodes.ts";

const notes = { namespace: "test", type: Note.type };

test("why a node cannot be reached is for admins, and in the log", async () => {
  await using three = await startThree();
  const node = "127.0.0.6"; // nobody listens there
  const reader = await three.client(["os:reader"]);
  for (const call of [reader.version({ node }), reader.list(notes, { node })])
    await expect(call).rejects.toMatchObject({
      message: `rpc error: code = Unavailable desc = node ${node} cannot be reached`,
    });
  const admin = await three.client();
  await expect(admin.version({ node })).rejects.toThrow("cannot be reached: connect ECONNREFUSED");
  expect(await three.nodes[0].line("a node cannot be reached")).toMatchObject({
    node,
    reason: expect.stringContaining("ECONNREFUSED") as string,
  });
});

test("nodes are called at their port; only members may have others", async () => {
  await using three = await startThree({ members: () => ["127.0.0.6", "FD00::6"] });
  const client = await three.client();
  const other = three.port === 1 ? 2 : 1;
  for (const node of [`127.0.0.7:${other}`, `localhost:${other}`])
    await expect(client.version({ node })).rejects.toThrow(
      `InvalidArgument desc = only members of the cluster are called at a port other than ${three.port}`,
    );
  expect((await client.version({ node: `127.0.0.3:${three.port}` })).sha).toBe("127.0.0.3");
  for (const node of [`127.0.0.6:${other}`, `[fd00:0::6]:${other}`])
    await expect(client.version({ node })).rejects.toThrow("cannot be reached");
});

test.each([
  "169.254.169.254",
  "0.0.0.0",
  "0.1.2.3",
  "239.1.1.1",
  "255.255.255.255",
  "::",
  "ff02::1",
])("%s is no node's address", (address) => {
  const neighbours = { port: 50_000, isMember: () => true };
  expect(() => placeOf(address, neighbours)).toThrow("is no node");
});

test("nor are addresses of a link and such in other words", async () => {
  const neighbours = { port: 50_000, isMember: () => true };
  for (const node of ["fe80::1%eth0", "[fe80::1]:50000", "::ffff:169.254.169.254", "::ffff:0:0"])
    expect(() => placeOf(node, neighbours)).toThrow("is no node");
  await using three = await startThree();
  await expect((await three.client()).version({ node: "0" })).rejects.toThrow(
    "node 0 cannot be reached: 0.0.0.0 is no address of a node",
  );
});
