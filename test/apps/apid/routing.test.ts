import { Metadata, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { VersionResponse } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { localNames } from "../../../src/apps/apid/routing.ts";
import { issueClient, Note, rawClient, reply, runNode } from "./running-node.ts";

async function ask(headers: Record<string, string[]>, roles?: string[]) {
  await using node = await runNode({ names: () => ["node-1", "10.5.0.2"] });
  const raw = rawClient(node, await issueClient(node.root, roles));
  const metadata = new Metadata();
  for (const [name, values] of Object.entries(headers))
    for (const value of values) metadata.add(name, value);
  try {
    return (await reply<VersionResponse>((done) => raw.version({}, metadata, done))).messages;
  } finally {
    raw.close();
  }
}

test.each(["127.0.0.1", "localhost", "::1", "", "node-1", "NODE-1", "10.5.0.2"])(
  "a request for %j is for this node, and its reply names nobody",
  async (node) => {
    expect((await ask({ node: [node] })).map(({ metadata }) => metadata)).toEqual([undefined]);
  },
);

test("a request for another node is not forwarded", async () => {
  const refusal = { code: status.PERMISSION_DENIED, details: "no request forwarding" };
  await expect(ask({ node: ["10.5.0.3"] })).rejects.toMatchObject(refusal);
  await expect(ask({ nodes: ["10.5.0.3"] })).rejects.toMatchObject(refusal);
  await expect(ask({ node: ["fe80::1%eth0"] })).rejects.toMatchObject(refusal);
});

test("a request that was forwarded here is answered here", async () => {
  const passedOn = {
    node: ["10.5.0.3"],
    proxyfrom: ["10.5.0.9:50000"],
    "talos-role": ["os:admin"],
  };
  expect(await ask(passedOn, ["os:impersonator"])).toHaveLength(1);
  // who is no node has passed on nothing, whatever it says
  await expect(ask(passedOn)).rejects.toMatchObject({ details: "no request forwarding" });
});

test("the header node has one value", async () => {
  await expect(ask({ node: ["127.0.0.1", "10.5.0.2"] })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: "node metadata must be single-valued",
  });
});

test("the header nodes is answered with a message for each, which names it", async () => {
  expect(await ask({ nodes: ["127.0.0.1"] })).toMatchObject([
    { metadata: { hostname: "127.0.0.1", error: "" }, version: { tag: "v1.14.0" } },
  ]);
  expect(await ask({ nodes: ["127.0.0.1", "10.5.0.3", "10.5.0.2"] })).toMatchObject([
    { metadata: { hostname: "127.0.0.1", error: "" } },
    {
      metadata: {
        hostname: "10.5.0.3",
        error: "no request forwarding",
        status: { code: status.PERMISSION_DENIED, message: "no request forwarding" },
      },
      version: undefined,
    },
    { metadata: { hostname: "10.5.0.2", error: "" }, version: { tag: "v1.14.0" } },
  ]);
});

test("a node that is named in several ways is one, and there are at most 256", async () => {
  const named = async (nodes: string[]) =>
    (await ask({ nodes })).map(({ metadata }) => metadata?.hostname);
  expect(await named(["::1", "0:0::1", "NODE-1", "::1", "node-1"])).toEqual(["::1", "NODE-1"]);
  expect(await named([Array<string>(5000).fill("127.0.0.1").join(",")])).toEqual(["127.0.0.1"]);
  const many = (count: number) => Array.from({ length: count }, (_, i) => `127.0.0.1:${i}`);
  await expect(named(many(257))).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: "a request is for at most 256 nodes: ask in parts",
  });
  expect(await named(many(256))).toHaveLength(256);
});

test("resources are not merged, so they are asked of one node", async () => {
  await using node = await runNode();
  const admin = await node.admin();
  await expect(admin.list(Note, { node: "10.9.9.9" })).rejects.toMatchObject({
    message: "rpc error: code = PermissionDenied desc = no request forwarding",
  });
  expect(await admin.list(Note, { node: "127.0.0.1" })).toEqual([]);
});

test("nodes that share a host by their loopback addresses are not taken for one another", () => {
  const isLocal = localNames("127.0.0.2", () => []);
  expect(["127.0.0.2", ""].every(isLocal)).toBe(true);
  expect(["127.0.0.1", "127.0.0.3", "localhost", "::1"].some(isLocal)).toBe(false);
  expect(localNames("fd00::1", () => [])("FD00:0:0::1")).toBe(true);
});
