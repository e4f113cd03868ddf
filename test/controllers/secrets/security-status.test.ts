import { SecurityStatus } from "#resources";
import { days } from "#runtime";
import { expect, test } from "vitest";
import { beforeRootsEnd, mountNode } from "../control-plane.ts";

test("there is one item per root and one for the node", async () => {
  await using node = await mountNode();
  const statuses = await node.store.list(SecurityStatus);
  expect(statuses.map(({ metadata }) => metadata.id)).toEqual([
    "aggregator",
    "etcd",
    "k8s",
    "node",
    "os",
    "service-account",
  ]);
  const os = node.spec(SecurityStatus, "os");
  expect(os).toMatchObject({ algorithm: "Ed25519", accepted: 1, findings: [] });
  expect(node.spec(SecurityStatus, "service-account")?.algorithm).toBe("RSA-4096");
});

test("a root that ends within a year is a finding with a command, and a graver one in its last month", async () => {
  const findingAt = async (left: number) => {
    await using node = await mountNode({ now: beforeRootsEnd(days(left)) });
    return node.spec(SecurityStatus, "os")?.findings[0];
  };
  expect(await findingAt(400)).toBeUndefined();
  expect(await findingAt(300)).toMatchObject({ severity: "warning" });
  const finding = await findingAt(20);
  expect(finding).toMatchObject({ severity: "critical" });
  expect(finding?.command).toContain("trustplane");
});

test("days are counted anew each day", async () => {
  await using node = await mountNode();
  const before = node.spec(SecurityStatus, "etcd")?.daysLeft ?? NaN;
  await node.advance(days(1));
  expect(Number(node.spec(SecurityStatus, "etcd")?.daysLeft)).toBe(before - 1);
});

test("a clock that is not set is a finding of the node", async () => {
  await using node = await mountNode({ time: { synced: false } });
  const messages = node.spec(SecurityStatus, "node")?.findings.map(({ message }) => message);
  expect(messages?.join()).toContain("has not set the clock yet");
});
