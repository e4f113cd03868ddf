import { ACTIVE, KubeletSecrets, MachineConfig } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { kubeletController } from "../../../src/controllers/secrets/kubelet.ts";
import { demoRoots } from "../../pki/demo.ts";
import { controlPlaneConfig, START, workerConfig } from "../control-plane.ts";

const join = {
  endpoint: "https://10.0.0.2:6443",
  acceptedCAs: [{ crt: demoRoots.kubernetes.crt }],
  bootstrapTokenID: "gp3ypu",
  bootstrapTokenSecret: "tgp9llnuw1irhltr",
};

test.each([
  ["control plane", controlPlaneConfig],
  ["worker", workerConfig],
])("a %s's kubelet has the endpoint, the cluster's token and its authorities", async (_, yaml) => {
  await using t = await mount(kubeletController(), { now: START });
  expect(t.spec(KubeletSecrets, "kubelet")).toBeNull();
  await t.create(MachineConfig, ACTIVE, { yaml });
  expect(t.spec(KubeletSecrets, "kubelet")).toEqual(join);
  await t.destroy(MachineConfig, ACTIVE);
  expect(t.spec(KubeletSecrets, "kubelet")).toBeNull();
});

test("no key of an authority is among it", async () => {
  await using t = await mount(kubeletController(), { now: START });
  await t.create(MachineConfig, ACTIVE, { yaml: controlPlaneConfig });
  expect(JSON.stringify(t.spec(KubeletSecrets, "kubelet"))).not.toContain("PRIVATE KEY");
});
