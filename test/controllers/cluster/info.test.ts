import { ACTIVE, ClusterInfo, MachineConfig } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { loadMachineConfig } from "#config";
import { clusterInfoController } from "../../../src/controllers/cluster/info.ts";
import { controlPlaneConfig, START } from "../control-plane.ts";

test("the cluster is the one of the configuration, and stays so while that cannot be read", async () => {
  await using t = await mount(clusterInfoController(), { now: START });
  expect(t.spec(ClusterInfo, "current")).toBeNull();
  await t.create(MachineConfig, ACTIVE, { yaml: controlPlaneConfig });
  const { clusterIdentity, clusterName } = loadMachineConfig(controlPlaneConfig);
  const known = { clusterId: clusterIdentity.id, clusterName };
  expect(known.clusterId).not.toBe("");
  expect(t.spec(ClusterInfo, "current")).toEqual(known);
  await t.update(MachineConfig, ACTIVE, (draft) => {
    draft.yaml = "{";
  });
  expect(t.spec(ClusterInfo, "current")).toEqual(known);
});
