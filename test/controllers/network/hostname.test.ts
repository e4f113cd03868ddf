import { ACTIVE, HostnameStatus, Identity, MachineConfig } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { hostnameController } from "../../../src/controllers/network/hostname.ts";
import { controlPlaneConfig, START } from "../control-plane.ts";

async function named(names: Parameters<typeof hostnameController>[0], config?: string) {
  await using t = await mount(hostnameController(names), { now: START });
  await t.create(Identity, "local", { nodeId: "abc123xyz" });
  if (config !== undefined) await t.create(MachineConfig, ACTIVE, { yaml: config });
  return t.spec(HostnameStatus, "hostname");
}

const v1alpha1 = controlPlaneConfig.split(/^---$/m)[0] ?? "";
const document = (text: string) =>
  `${v1alpha1}---\napiVersion: v1alpha1\nkind: HostnameConfig\n${text}\n`;

test("the command line wins", async () => {
  expect(await named({ override: "a.example", machine: "m" }, controlPlaneConfig)).toEqual({
    hostname: "a",
    domainname: "example",
  });
});

test("a stable name comes from the node's id", async () => {
  expect((await named({ machine: "m" }, document("auto: stable")))?.hostname).toBe("talos-abc-123");
});

test("the configuration's own name is taken", async () => {
  expect(await named({ machine: "m" }, document("hostname: cp-9.example.test"))).toEqual({
    hostname: "cp-9",
    domainname: "example.test",
  });
});

test("otherwise it is the machine's", async () => {
  expect((await named({ machine: "box" }, v1alpha1))?.hostname).toBe("box");
});
