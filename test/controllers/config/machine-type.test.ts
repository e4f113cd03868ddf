import { ACTIVE, MachineConfig, MachineType } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { machineTypeController } from "../../../src/controllers/config/machine-type.ts";
import { controlPlaneConfig, START, workerConfig } from "../control-plane.ts";

test("the type is the configuration's, follows it, and is gone with it", async () => {
  await using t = await mount(machineTypeController(), { now: START });
  expect(t.spec(MachineType, "machine-type")).toBeNull();
  await t.create(MachineConfig, ACTIVE, { yaml: controlPlaneConfig });
  expect(t.spec(MachineType, "machine-type")).toEqual({ type: "controlplane" });
  await t.update(MachineConfig, ACTIVE, () => ({ yaml: workerConfig }));
  expect(t.spec(MachineType, "machine-type")).toEqual({ type: "worker" });
  await t.destroy(MachineConfig, ACTIVE);
  expect(t.spec(MachineType, "machine-type")).toBeNull();
});

test.each([
  ["init", "controlplane"],
  ["join", "worker"],
  ['""', "worker"],
])("machine.type %s means %s", async (written, type) => {
  await using t = await mount(machineTypeController(), { now: START });
  const yaml = controlPlaneConfig.replace("type: controlplane", `type: ${written}`);
  await t.create(MachineConfig, ACTIVE, { yaml });
  expect(t.spec(MachineType, "machine-type")).toEqual({ type });
});

test("the configuration that seeded the state directory does not count", async () => {
  await using t = await mount(machineTypeController(), { now: START });
  await t.create(MachineConfig, "seed", { yaml: controlPlaneConfig });
  expect(t.spec(MachineType, "machine-type")).toBeNull();
});
