import { leafProfiles } from "#pki";
import { EtcdRoot, EtcdSecrets, NodeAddress, TimeStatus } from "#resources";
import { days } from "#runtime";
import { expect, test } from "vitest";
import { etcdController } from "../../../src/controllers/secrets/etcd.ts";
import { demoRoots } from "../../pki/demo.ts";
import {
  addresses,
  complete,
  differing,
  factsOf,
  firstDue,
  isUnder,
  issueLeaf,
  mountAmid,
  otherRoot,
  time,
} from "../surroundings.ts";

async function mounted(root = demoRoots.etcd, options?: Parameters<typeof mountAmid>[1]) {
  const t = await mountAmid(etcdController({ issueLeaf }), options);
  await t.create(EtcdRoot, "etcd", { etcdCA: root });
  return { ...t, leaves: () => complete(t.spec(EtcdSecrets, "etcd")) };
}

const usages = (...extKeyUsages: string[]) => ({
  keyUsages: ["digitalSignature", "keyEncipherment"],
  extKeyUsages,
});

test("a member's server and peer certificates carry the node's names, clients' carry none", async () => {
  await using t = await mounted();
  const { etcd, etcdPeer, etcdAdmin, etcdAPIServer } = t.leaves();
  expect(factsOf(etcd)).toEqual({
    subject: "CN = cp-1",
    dnsNames: ["cp-1", "cp-1.example.test", "localhost"],
    ipAddresses: ["192.0.2.7", "2001:db8::7", "127.0.0.1", "::1"],
    ...usages("serverAuth", "clientAuth"),
  });
  expect(factsOf(etcdPeer)).toEqual({
    subject: "CN = cp-1",
    dnsNames: ["cp-1", "cp-1.example.test"],
    ipAddresses: ["192.0.2.7", "2001:db8::7"],
    ...usages("serverAuth", "clientAuth"),
  });
  const client = { dnsNames: [], ipAddresses: [], ...usages("clientAuth") };
  expect(factsOf(etcdAdmin)).toEqual({ subject: "CN = talos", ...client });
  expect(factsOf(etcdAPIServer)).toEqual({ subject: "CN = kube-apiserver", ...client });
  for (const leaf of Object.values(t.leaves()))
    expect(await isUnder(leaf, demoRoots.etcd)).toBe(true);
});

test("they wait for the clock, and are kept when it is lost", async () => {
  await using t = await mounted(demoRoots.etcd, { synced: false });
  expect(t.leaves()).toBeNull();
  await t.update(TimeStatus, "node", () => time(true));
  const before = t.leaves();
  expect(before).not.toBeNull();
  await t.update(TimeStatus, "node", () => time(false));
  expect(t.leaves()).toBe(before);
});

test("each is renewed when it is due, not before, and alone", async () => {
  const root = await otherRoot("etcd");
  await using t = await mounted(root);
  const before = t.leaves();
  const due = firstDue(before, root);
  expect(due.at - t.clock.now()).toBeGreaterThan(leafProfiles.etcdServer.lifetime * 0.39);
  await t.advance(due.at - t.clock.now() - 1);
  expect(t.leaves()).toBe(before);
  await t.advance(1);
  expect(differing(before, t.leaves())).toEqual([due.name]);
});

test("those that end with their root are never renewed", async () => {
  await using t = await mounted();
  const before = t.leaves();
  await t.advance(days(8 * 365));
  expect(t.leaves()).toBe(before);
});

test("another address reissues server and peer only", async () => {
  await using t = await mounted();
  const before = t.leaves();
  await t.update(NodeAddress, "accumulative-no-k8s", () => addresses("192.0.2.7", "192.0.2.8"));
  expect(differing(before, t.leaves())).toEqual(["etcd", "etcdPeer"]);
});

test("another root reissues all, and without a root they are withdrawn", async () => {
  await using t = await mounted();
  const root = await otherRoot("etcd");
  await t.update(EtcdRoot, "etcd", () => ({ etcdCA: root }));
  for (const leaf of Object.values(t.leaves())) expect(await isUnder(leaf, root)).toBe(true);
  await t.destroy(EtcdRoot, "etcd");
  expect(t.leaves()).toBeNull();
});
