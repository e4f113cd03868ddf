import { NodeAddress } from "#resources";
import { expect, test } from "vitest";
import { minutes } from "#runtime";
import { mountNode } from "../control-plane.ts";

const addresses = (node: Awaited<ReturnType<typeof mountNode>>, id: string) =>
  node.spec(NodeAddress, id)?.addresses;

test("a loopback API address is the node's only one", async () => {
  await using node = await mountNode({
    apiAddress: "127.0.0.3",
    interfaceAddresses: ["192.0.2.7"],
  });
  expect(addresses(node, "current")).toEqual(["127.0.0.3"]);
  expect(addresses(node, "accumulative-no-k8s")).toEqual(["127.0.0.3"]);
});

test("otherwise the machine's own addresses count, without those that say nothing of it", async () => {
  await using node = await mountNode({
    apiAddress: "192.0.2.7",
    interfaceAddresses: ["2001:db8::7", "127.0.0.1", "fe80::1", "192.0.2.7", "10.244.0.5"],
  });
  expect(addresses(node, "current")).toEqual(["10.244.0.5", "192.0.2.7", "2001:db8::7"]);
  expect(addresses(node, "current-no-k8s")).toEqual(["192.0.2.7", "2001:db8::7"]);
});

test("an address once seen stays in the accumulative list", async () => {
  const seen = ["192.0.2.7", "192.0.2.8"];
  await using node = await mountNode({ apiAddress: "192.0.2.7", interfaceAddresses: seen });
  seen.pop();
  await node.advance(minutes(2));
  expect(addresses(node, "current")).toEqual(["192.0.2.7"]);
  expect(addresses(node, "accumulative")).toEqual(["192.0.2.7", "192.0.2.8"]);
});
