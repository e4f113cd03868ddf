import { CertSAN, HostnameStatus, NodeAddress } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { maintenanceCertSANsController } from "../../../src/controllers/secrets/maintenance-cert-sans.ts";
import { START } from "../control-plane.ts";
import { addresses } from "../surroundings.ts";

test("in maintenance all addresses count, both loopback ones too; names as soon as there are any", async () => {
  await using t = await mount(maintenanceCertSANsController(), { now: START });
  expect(t.spec(CertSAN, "maintenance")).toBeNull();
  await t.create(NodeAddress, "accumulative", addresses("192.0.2.7", "10.244.0.1"));
  expect(t.spec(CertSAN, "maintenance")).toEqual({
    ips: ["10.244.0.1", "127.0.0.1", "192.0.2.7", "::1"],
    dnsNames: [],
    fqdn: "maintenance-service.talos.dev",
  });
  await t.create(HostnameStatus, "hostname", { hostname: "cp-1", domainname: "example.test" });
  expect(t.spec(CertSAN, "maintenance")?.dnsNames).toEqual(["cp-1", "cp-1.example.test"]);
});

test("once there they are not withdrawn", async () => {
  await using t = await mount(maintenanceCertSANsController(), { now: START });
  await t.create(NodeAddress, "accumulative", addresses("192.0.2.7"));
  const before = t.resource(CertSAN, "maintenance");
  await t.destroy(NodeAddress, "accumulative");
  expect(t.resource(CertSAN, "maintenance")).toBe(before);
  expect(before).not.toBeNull();
});
