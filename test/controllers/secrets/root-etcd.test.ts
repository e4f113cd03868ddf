import { ACTIVE, EtcdRoot, MachineConfig } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { rootEtcdController } from "../../../src/controllers/secrets/root-etcd.ts";
import { demoRoots } from "../../pki/demo.ts";
import { controlPlaneConfig, mountNode, START, workerConfig } from "../control-plane.ts";
import { differing, otherRoot, serialNumbers } from "../surroundings.ts";

test("a control plane has etcd's root; a node that becomes a worker has it no more", async () => {
  await using t = await mount(rootEtcdController(), { now: START });
  expect(t.spec(EtcdRoot, "etcd")).toBeNull();
  await t.create(MachineConfig, ACTIVE, { yaml: controlPlaneConfig });
  expect(t.spec(EtcdRoot, "etcd")).toEqual({ etcdCA: demoRoots.etcd });
  await t.update(MachineConfig, ACTIVE, () => ({ yaml: workerConfig }));
  expect(t.spec(EtcdRoot, "etcd")).toBeNull();
});

test("it is gone with the configuration", async () => {
  await using t = await mount(rootEtcdController(), { now: START });
  await t.create(MachineConfig, ACTIVE, { yaml: controlPlaneConfig });
  await t.destroy(MachineConfig, ACTIVE);
  expect(t.spec(EtcdRoot, "etcd")).toBeNull();
});

test("another root reissues etcd's leaves, and nothing else", async () => {
  await using node = await mountNode();
  const [before, other] = [serialNumbers(node), await otherRoot("etcd")];
  const base64 = (pem: string) => Buffer.from(pem).toString("base64");
  await node.update(MachineConfig, ACTIVE, (draft) => {
    draft.yaml = draft.yaml
      .replace(base64(demoRoots.etcd.crt), base64(other.crt))
      .replace(base64(demoRoots.etcd.key), base64(other.key));
  });
  expect(differing(before, serialNumbers(node))).toEqual([
    "etcd-admin",
    "etcd-apiserver-client",
    "etcd-ca",
    "etcd-peer",
    "etcd-server",
  ]);
});
