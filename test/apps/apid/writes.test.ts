import { credentials, Metadata, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { StateClient } from "#runtime/rpc";
import { issueClient, Note, rawClient, reply, runNode, type RunningNode } from "./running-node.ts";

const rawState = async (node: RunningNode, roles: string[]) => {
  const channel = rawClient(node, await issueClient(node.root, roles)).getChannel();
  return new StateClient("unused", credentials.createInsecure(), { channelOverride: channel });
};

test("nothing is written from outside, not even by an administrator", async () => {
  await using node = await runNode();
  await node.store.create(Note, "a", { text: "" });
  const pointer = { namespace: "test", type: Note.type, id: "a", options: undefined };
  for (const [role, details] of [
    ["os:admin", "write access is not allowed"],
    ["os:reader", "not authorized"],
  ] as const) {
    const state = await rawState(node, [role]);
    const denied = { code: status.PERMISSION_DENIED, details };
    await expect(reply((done) => state.destroy(pointer, done))).rejects.toMatchObject(denied);
    await expect(reply((done) => state.teardown(pointer, done))).rejects.toMatchObject(denied);
    state.close();
  }
  expect(await node.store.get(Note, "a")).toBeDefined();
});

test("an impersonator has the roles that it says, nobody else does", async () => {
  await using node = await runNode();
  const claim = new Metadata();
  claim.add("talos-role", "os:reader");
  const proxy = rawClient(node, await issueClient(node.root, ["os:impersonator"]));
  await expect(reply((done) => proxy.version({}, claim, done))).resolves.toBeDefined();
  proxy.close();
  const nobody = rawClient(node, await issueClient(node.root, []));
  await expect(reply((done) => nobody.version({}, claim, done))).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
  });
  nobody.close();
});
