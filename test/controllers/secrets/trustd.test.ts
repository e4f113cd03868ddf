import { CertSAN, MachineType, NetworkStatus, OSRoot, TrustdCertificates } from "#resources";
import { expect, test } from "vitest";
import { trustdController } from "../../../src/controllers/secrets/trustd.ts";
import { demoRoots } from "../../pki/demo.ts";
import {
  factsOf,
  firstDue,
  isUnder,
  issueLeaf,
  mountAmid,
  network,
  otherRoot,
} from "../surroundings.ts";

const root = {
  issuingCA: demoRoots.os,
  certSANIPs: [] as string[],
  certSANDNSNames: [] as string[],
  token: "",
  acceptedCAs: [{ crt: demoRoots.os.crt }],
};
const names = {
  ips: ["127.0.0.1", "192.0.2.7"],
  dnsNames: ["cp-1", "cp-1.example.test"],
  fqdn: "cp-1.example.test",
};

async function mounted(options?: Parameters<typeof mountAmid>[1]) {
  const t = await mountAmid(trustdController({ issueLeaf }), options);
  await t.create(OSRoot, "os", root);
  await t.create(MachineType, "machine-type", { type: "controlplane" });
  await t.create(CertSAN, "api", names);
  const server = () => t.spec(TrustdCertificates, "trustd")?.server;
  return { ...t, server };
}

test("trustd serves under the Talos API root, by the names of apid, and does not wait for the clock", async () => {
  await using t = await mounted({ synced: false });
  expect(factsOf(t.server())).toEqual({
    subject: "CN = cp-1.example.test",
    dnsNames: names.dnsNames,
    ipAddresses: names.ips,
    keyUsages: ["digitalSignature", "keyEncipherment"],
    extKeyUsages: ["serverAuth"],
  });
  expect(await isUnder(t.server(), demoRoots.os)).toBe(true);
});

test("it waits for the hostname, and then keeps what it has without it", async () => {
  await using t = await mounted({ hostnameReady: false });
  expect(t.server()).toBeUndefined();
  await t.update(NetworkStatus, "status", () => network(true, true));
  const before = t.server();
  expect(before).toBeDefined();
  await t.update(NetworkStatus, "status", () => network(true, false));
  expect(t.server()).toBe(before);
});

test("a worker has none", async () => {
  await using t = await mounted();
  expect(t.server()).toBeDefined();
  await t.update(MachineType, "machine-type", () => ({ type: "worker" as const }));
  expect(t.server()).toBeUndefined();
});

test("it is renewed when due and not before", async () => {
  await using t = await mounted();
  const before = t.server()!;
  const due = firstDue({ before }, demoRoots.os).at;
  await t.advance(due - t.clock.now() - 1);
  expect(t.server()).toBe(before);
  await t.advance(1);
  expect(t.server()?.crt).not.toBe(before.crt);
  expect(t.server()?.key).not.toBe(before.key);
});

test("another root reissues it, another accepted authority does not", async () => {
  await using t = await mounted();
  const [before, other] = [t.server(), await otherRoot("os")];
  await t.update(OSRoot, "os", (draft) => void draft.acceptedCAs.unshift({ crt: other.crt }));
  expect(t.spec(TrustdCertificates, "trustd")?.acceptedCAs[0]?.crt).toBe(other.crt);
  expect(t.server()).toEqual(before);
  await t.update(OSRoot, "os", (draft) => void (draft.issuingCA = other));
  expect(await isUnder(t.server(), other)).toBe(true);
});

test("another address of the node is taken up at once", async () => {
  await using t = await mounted();
  await t.update(CertSAN, "api", (draft) => void draft.ips.push("192.0.2.8"));
  expect(factsOf(t.server()).ipAddresses).toEqual([...names.ips, "192.0.2.8"]);
});
