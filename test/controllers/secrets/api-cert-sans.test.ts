import { CertSAN, HostnameStatus, NodeAddress, OSRoot } from "#resources";
import { expect, test } from "vitest";
import { apiCertSANsController } from "../../../src/controllers/secrets/api-cert-sans.ts";
import { addresses, mountAmid } from "../surroundings.ts";

const root = {
  issuingCA: null,
  certSANIPs: ["2001:db8::5", "10.0.0.20", "9.0.0.1", "192.0.2.7"],
  certSANDNSNames: ["zeta.test.", "Alpha.test", "cp-1", ""],
  token: "",
  acceptedCAs: [],
};

test("addresses are sorted by number, IPv4 first; names by bytes, without dots at the end or repeats", async () => {
  await using t = await mountAmid(apiCertSANsController());
  await t.create(OSRoot, "os", root);
  expect(t.spec(CertSAN, "api")).toEqual({
    ips: ["9.0.0.1", "10.0.0.20", "127.0.0.1", "192.0.2.7", "2001:db8::5", "2001:db8::7"],
    dnsNames: ["Alpha.test", "cp-1", "cp-1.example.test", "zeta.test"],
    fqdn: "cp-1.example.test",
  });
});

test("addresses of pods and services are not its own", async () => {
  await using t = await mountAmid(apiCertSANsController());
  await t.create(NodeAddress, "accumulative", addresses("10.244.0.1", "192.0.2.7"));
  await t.create(OSRoot, "os", { ...root, certSANIPs: [] });
  expect(t.spec(CertSAN, "api")?.ips).toEqual(["127.0.0.1", "192.0.2.7", "2001:db8::7"]);
});

test("without the hostname or addresses the names stay as they are", async () => {
  await using t = await mountAmid(apiCertSANsController());
  await t.create(OSRoot, "os", root);
  const before = t.resource(CertSAN, "api");
  await t.destroy(NodeAddress, "accumulative-no-k8s");
  await t.destroy(HostnameStatus, "hostname");
  await t.update(OSRoot, "os", (draft) => void draft.certSANDNSNames.push("late.test"));
  expect(t.resource(CertSAN, "api")).toBe(before);
});

test("without the root they are withdrawn, and those of others are not", async () => {
  await using t = await mountAmid(apiCertSANsController());
  await t.create(OSRoot, "os", root);
  await t.create(CertSAN, "k8s", { ips: [], dnsNames: [], fqdn: "" }, { owner: "another" });
  await t.destroy(OSRoot, "os");
  expect(t.spec(CertSAN, "api")).toBeNull();
  expect(t.spec(CertSAN, "k8s")).not.toBeNull();
});

test("a change that comes to the same names writes nothing", async () => {
  await using t = await mountAmid(apiCertSANsController());
  await t.create(OSRoot, "os", root);
  const before = t.resource(CertSAN, "api");
  await t.update(OSRoot, "os", (draft) => void draft.certSANDNSNames.reverse());
  expect(t.resource(CertSAN, "api")).toBe(before);
});
