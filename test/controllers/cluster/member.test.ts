import {
  HostnameStatus,
  Identity,
  MachineType,
  Member,
  MemberRecord,
  MemberReport,
  NodeAddress,
  UNHEARD_LABEL,
} from "#resources";
import { minutes } from "#runtime";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { memberController } from "../../../src/controllers/cluster/member.ts";
import { START } from "../control-plane.ts";
import { addresses } from "../surroundings.ts";

async function members(type: "controlplane" | "worker", controlPlanes: readonly string[]) {
  const controller = memberController({ controlPlanes, operatingSystem: "Trustplane (v1)" });
  const t = await mount(controller, { now: START });
  await t.create(Identity, "local", { nodeId: "abc" });
  await t.create(HostnameStatus, "hostname", { hostname: "cp-1", domainname: "example" });
  await t.create(NodeAddress, "current", addresses("192.0.2.1", "fd00::1"));
  await t.create(MachineType, "machine-type", { type });
  return t;
}

const self = {
  nodeId: "abc",
  addresses: ["192.0.2.1", "fd00::1"],
  hostname: "cp-1.example",
  operatingSystem: "Trustplane (v1)",
};
const other = (address: string) => ({
  nodeId: "",
  addresses: [address],
  hostname: address,
  machineType: "controlplane",
  operatingSystem: "",
  controlPlane: { port: 6443 },
});

test("a control plane, and those that it was told of: itself once, by its name", async () => {
  await using t = await members("controlplane", ["192.0.2.2", "192.0.2.1", "FD00:0::1", "FD00::2"]);
  expect(t.list(Member).map(({ metadata }) => metadata.id)).toEqual([
    ...["192.0.2.2", "cp-1", "fd00::2"],
  ]);
  expect(t.spec(Member, "cp-1")).toEqual({
    ...self,
    machineType: "controlplane",
    controlPlane: { port: 6443 },
  });
  expect(t.spec(Member, "192.0.2.2")).toEqual(other("192.0.2.2"));
  expect(t.spec(Member, "fd00::2")).toEqual(other("fd00::2"));
});

test("a worker serves no Kubernetes API", async () => {
  await using t = await members("worker", []);
  expect(t.spec(Member, "cp-1")).toEqual({ ...self, machineType: "worker", controlPlane: null });
});

test("a node that renames itself leaves no other behind", async () => {
  await using t = await members("controlplane", []);
  await t.update(HostnameStatus, "hostname", (draft) => {
    draft.hostname = "cp-9";
  });
  expect(t.list(Member).map(({ metadata }) => metadata.id)).toEqual(["cp-9"]);
});

const record = (hostname: string, ...known: string[]) => ({
  ...{
    hostname,
    addresses: known,
    machineType: "worker" as const,
    token: "abcdef",
    apiPort: 50000,
  },
  ...{ joined: "2027-03-01T12:00:00Z", bounds: null, identities: [], notAfter: "" },
  ...{ dnsNames: [], identityKeys: [] },
});
const report = (hostname: string, ...said: string[]) => ({
  ...{ hostname, addresses: said, heard: "2027-03-01T12:00:00Z", operatingSystem: "Talos (v2)" },
  ...{ certificates: [], acceptedAuthorities: [], serves: "", apiPort: 50000 },
});
const ids = (t: Awaited<ReturnType<typeof members>>) =>
  t.list(Member).map(({ metadata }) => metadata.id);
const marks = (t: Awaited<ReturnType<typeof members>>) =>
  Object.fromEntries(
    t.list(Member).map(({ metadata }) => [metadata.id, metadata.labels[UNHEARD_LABEL]]),
  );

test("those on record are members, with what they say within it", async () => {
  await using t = await members("controlplane", ["192.0.2.1", "192.0.2.2"]);
  await t.create(MemberRecord, "n1", record("worker-1.example", "192.0.2.7", "192.0.2.8"));
  expect(t.spec(Member, "worker-1")).toEqual({
    ...{ nodeId: "n1", addresses: ["192.0.2.7", "192.0.2.8"], hostname: "worker-1.example" },
    ...{ machineType: "worker", operatingSystem: "", controlPlane: null },
  });
  await t.create(MemberReport, "n1", report("other", "192.0.2.8", "192.0.2.1"));
  await t.create(MemberReport, "n9", report("worker-9", "192.0.2.9"));
  expect(t.spec(Member, "worker-1")).toMatchObject({
    ...{ addresses: ["192.0.2.8"], hostname: "worker-1.example", operatingSystem: "Talos (v2)" },
  });
  const cp = { ...record("cp-2", "192.0.2.2"), machineType: "controlplane" as const };
  await t.create(MemberRecord, "n2", cp);
  expect(ids(t)).toEqual(["cp-1", "cp-2", "worker-1"]); // and no longer by its address alone
  expect(t.spec(Member, "cp-2")?.controlPlane).toEqual({ port: 6443 });
});

test("a node that is told of itself lists itself once, as it knows itself", async () => {
  await using t = await members("worker", []);
  const told = { ...record("former", "192.0.2.7"), joined: "", token: "" };
  await t.create(MemberRecord, "abc", told);
  const cp = { ...record("cp-9", "192.0.2.9"), machineType: "controlplane" as const, joined: "" };
  await t.create(MemberRecord, "def", cp);
  expect(ids(t)).toEqual(["cp-1", "cp-9"]);
  expect(t.spec(Member, "cp-1")).toMatchObject(self);
  await t.advance(minutes(60)); // what it hears nothing from is not marked for that
  expect(marks(t)).toEqual({ "cp-1": undefined, "cp-9": undefined });
});

test("one that is not heard of for fifteen minutes is marked, and stays, until it is heard", async () => {
  await using t = await members("controlplane", []);
  await t.create(MemberRecord, "n1", record("worker-1", "192.0.2.7"));
  await t.create(MemberRecord, "n2", record("worker-2", "192.0.2.8"));
  await t.advance(minutes(10));
  await t.create(MemberReport, "n2", {
    ...report("worker-2", "192.0.2.8"),
    heard: "2027-03-01T12:10:00Z",
  });
  await t.advance(minutes(5) - 1);
  expect(marks(t)).toEqual({ "cp-1": undefined, "worker-1": undefined, "worker-2": undefined });
  await t.advance(1);
  const lost = { "worker-1": "2027-03-01T12:00:00Z" };
  expect(marks(t)).toEqual({ "cp-1": undefined, ...lost, "worker-2": undefined });
  await t.advance(minutes(10));
  expect(marks(t)).toMatchObject({ ...lost, "worker-2": "2027-03-01T12:10:00Z" });
  await t.advance(minutes(60 * 24 * 365));
  expect(ids(t)).toEqual(["cp-1", "worker-1", "worker-2"]);
  await t.update(MemberReport, "n2", (draft) => void (draft.heard = "2028-02-29T12:25:00Z"));
  expect(marks(t)).toMatchObject({ ...lost, "worker-2": undefined });
});

test("one that is taken off the record is no member, and its report brings it not back", async () => {
  await using t = await members("controlplane", []);
  await t.create(MemberRecord, "n1", record("worker-1", "192.0.2.7"));
  await t.create(MemberReport, "n1", report("worker-1", "192.0.2.7"));
  await t.destroy(MemberRecord, "n1");
  expect(ids(t)).toEqual(["cp-1"]);
});

test("two that would have one id have two", async () => {
  await using t = await members("controlplane", []);
  await t.create(MemberRecord, "n1", record("w.b.example", "192.0.2.7"));
  await t.create(MemberRecord, "n2", record("w.c.example", "192.0.2.8"));
  await t.create(MemberRecord, "n3", record("w.c.example", "192.0.2.9"));
  await t.create(MemberRecord, "n4", record("cp-1", "192.0.2.10"));
  expect(t.list(Member).map(({ metadata, spec }) => [metadata.id, spec.nodeId])).toEqual([
    ...[
      ["cp-1", "abc"],
      ["n3", "n3"],
      ["n4", "n4"],
      ["w", "n1"],
      ["w.c.example", "n2"],
    ],
  ]);
});

test("on the wire it is Talos' message", () => {
  const spec = {
    ...{ ...other("1.2.3.4"), nodeId: "n", hostname: "h", operatingSystem: "o" },
    machineType: "worker" as const,
  };
  const hex = (value: Parameters<NonNullable<typeof Member.encoding.proto>>[0]) =>
    Buffer.from(Member.encoding.proto?.(value) ?? []).toString("hex");
  const shared = "0a016e" + "12060a0401020304" + "1a0168" + "2003" + "2a016f";
  expect(hex(spec)).toBe(`${shared}3203` + "08ab32");
  expect(hex({ ...spec, controlPlane: null })).toBe(shared);
  expect(Member.encoding.yaml?.({ ...spec, controlPlane: null })).not.toHaveProperty(
    "controlPlane",
  );
  expect(Member.encoding.yaml?.(spec)).toMatchObject({ controlPlane: { port: 6443 } });
});

test("who joined first keeps its short name, whatever id the next one has", async () => {
  await using t = await members("controlplane", []);
  await t.create(MemberRecord, "n5", record("w1.example", "192.0.2.7"));
  const later = { ...record("w1.evil", "192.0.2.8"), joined: "2027-03-01T12:00:01Z" };
  await t.create(MemberRecord, "n1", later);
  expect(t.spec(Member, "w1")?.nodeId).toBe("n5");
  expect(t.spec(Member, "w1.evil")?.nodeId).toBe("n1");
});
