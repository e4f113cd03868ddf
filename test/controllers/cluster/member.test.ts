import { HostnameStatus, Identity, MachineType, Member, NodeAddress } from "#resources";
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
