import { ACTIVE, DeniedCertificate, MachineConfig, OSRoot, SecurityStatus } from "#resources";
import { ControllerStatus, days } from "#runtime";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { securityStatusController } from "../../../src/controllers/secrets/security-status.ts";
import { beforeRootsEnd, mountNode, START } from "../control-plane.ts";

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

test("denied clients are counted in a finding of the node, for as long as they are denied", async () => {
  await using node = await mountNode();
  const told = () =>
    node
      .spec(SecurityStatus, "node")
      ?.findings.filter(({ reason }) => reason === "ClientsDenied")
      .map(({ severity, message, command }) => [severity, message, command]);
  const command = "trustplane deny list";
  expect(told()).toEqual([]);
  const denial = { reason: "lost", since: "2027-03-01T12:00:00Z" };
  await node.create(DeniedCertificate, "aa", denial);
  expect(told()).toEqual([["info", "1 client certificate is denied on this node", command]]);
  await node.create(DeniedCertificate, "bb", denial);
  expect(told()).toEqual([["info", "2 client certificates are denied on this node", command]]);
  const { namespace, type } = DeniedCertificate;
  for (const id of ["aa", "bb"]) await node.store.destroy({ namespace, type, id });
  await node.settled();
  expect(told()).toEqual([]);
});

const mounted = (options: Partial<Parameters<typeof securityStatusController>[0]> = {}) =>
  mount(
    securityStatusController({
      reviewConfig: () => Promise.resolve([]),
      keyAlgorithmOf: () => Promise.resolve("RSA-4096"),
      ...options,
    }),
    { now: START },
  );

test("what of the stored state could not be read back is a finding each, with what mends it", async () => {
  const damage = (kind: { type: string; namespace: string }, id: string) => ({
    pointer: { type: kind.type, namespace: kind.namespace, id },
    problem: "is no JSON",
    remedy: "it is made anew",
    command: "trustplane up",
  });
  await using t = await mounted({ damaged: [damage(MachineConfig, ACTIVE), damage(OSRoot, "os")] });
  expect(t.spec(SecurityStatus, "node")?.findings).toEqual([
    {
      reason: "StateDamaged",
      severity: "critical",
      message: "MachineConfigs.config.talos.dev(config/v1alpha1): is no JSON; it is made anew",
      command: "trustplane up",
    },
    {
      reason: "StateDamaged",
      severity: "warning",
      message: "OSRootSecrets.secrets.talos.dev(secrets/os): is no JSON; it is made anew",
      command: "trustplane up",
    },
  ]);
});

test("controllers that fail for one reason are one finding", async () => {
  await using t = await mounted();
  const failing = (message: string) => ({
    state: "failing" as const,
    waitingFor: "",
    error: { code: "ERR_TEST", message },
    attempt: 1,
    nextTry: "",
    lastReason: "",
  });
  await t.create(ControllerStatus, "a.A", failing("one reason"));
  await t.create(ControllerStatus, "b.B", failing("another"));
  await t.create(ControllerStatus, "c.C", failing("one reason"));
  expect(t.spec(SecurityStatus, "node")?.findings.map(({ message }) => message)).toEqual([
    "a.A, c.C fail: one reason",
    "b.B fails: another",
  ]);
});

test("a full disk is a finding of its own, with the command that shows it", async () => {
  await using t = await mounted();
  await t.create(ControllerStatus, "a.A", {
    state: "failing",
    waitingFor: "",
    error: { code: "ERR_STORE_FULL", message: "the disk is full" },
    attempt: 1,
    nextTry: "",
    lastReason: "",
  });
  expect(t.spec(SecurityStatus, "node")?.findings).toMatchObject([
    { reason: "StoreFull", severity: "critical", command: "df -h" },
  ]);
});
