import { authorityProfiles, issueAuthority, readCertificate, webCryptoKeys } from "#pki";
import { ACTIVE, MachineConfig, MaintenanceRoot } from "#resources";
import { hours, minutes, systemRandom } from "#runtime";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { maintenanceRootController } from "../../../src/controllers/secrets/maintenance-root.ts";
import { controlPlaneConfig, mountNode, START } from "../control-plane.ts";

const maintained = () =>
  mount(
    maintenanceRootController({
      issue: (now) =>
        issueAuthority(authorityProfiles.maintenance, {
          keys: webCryptoKeys(),
          random: systemRandom,
          now,
        }),
    }),
    { now: START },
  );

test("a node without configuration has a root of a day, with an empty name", async () => {
  await using t = await maintained();
  const root = readCertificate(t.spec(MaintenanceRoot, "maintenance")?.ca.crt ?? "");
  expect(root).toMatchObject({ isCa: true, signatureAlgorithm: "Ed25519" });
  expect(root.subject.attributes).toEqual([]);
  expect(root.notAfter - START).toBeLessThanOrEqual(hours(24));
  expect(root.notAfter - START).toBeGreaterThan(hours(24) - minutes(16));
});

test("it is withdrawn by a configuration; without one there is another", async () => {
  await using t = await maintained();
  const first = t.spec(MaintenanceRoot, "maintenance")?.ca.crt;
  await t.create(MachineConfig, ACTIVE, { yaml: controlPlaneConfig });
  expect(t.spec(MaintenanceRoot, "maintenance")).toBeNull();
  await t.destroy(MachineConfig, ACTIVE);
  expect(t.spec(MaintenanceRoot, "maintenance")?.ca.crt).not.toBe(first);
});

test("what is held is kept", async () => {
  await using t = await maintained();
  const before = t.resource(MaintenanceRoot, "maintenance");
  await t.create(MachineConfig, "seed", { yaml: controlPlaneConfig });
  await t.advance(hours(12));
  expect(t.resource(MaintenanceRoot, "maintenance")).toBe(before);
});

test("one that cannot be read is issued anew", async () => {
  await using t = await maintained();
  const owner = "secrets.MaintenanceRootController";
  await t.update(MaintenanceRoot, "maintenance", (draft) => void (draft.ca.key = "garbage"), {
    owner,
  });
  expect(t.spec(MaintenanceRoot, "maintenance")?.ca.key).toContain("PRIVATE KEY");
});

test("a configured node has none", async () => {
  await using node = await mountNode();
  expect(node.spec(MaintenanceRoot, "maintenance")).toBeNull();
});
