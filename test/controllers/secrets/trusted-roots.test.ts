import { ACTIVE, ApiCertificates, EtcFileSpec, MachineConfig } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { trustedRootsController } from "../../../src/controllers/secrets/trusted-roots.ts";
import { controlPlaneConfig, mountNode, START } from "../control-plane.ts";
import { differing, otherRoot, serialNumbers } from "../surroundings.ts";

const FILE = "ssl/certs/ca-certificates.crt";
const document = (name: string, pem: string) =>
  `---\napiVersion: v1alpha1\nkind: TrustedRootsConfig\nname: ${name}\ncertificates: |\n${pem
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}\n`)
    .join("")}`;

test("extra roots make a file for the host, one after the other; without any there is none", async () => {
  const [first, second] = [await otherRoot("os"), await otherRoot("kubernetes")];
  await using t = await mount(trustedRootsController(), { now: START });
  await t.create(MachineConfig, ACTIVE, {
    yaml: `${controlPlaneConfig}${document("mine", first.crt)}${document("yours", second.crt)}`,
  });
  expect(t.spec(EtcFileSpec, FILE)).toEqual({
    contents: `# mine\n${first.crt}\n# yours\n${second.crt}`,
    mode: "0644",
  });
  await t.update(MachineConfig, ACTIVE, () => ({ yaml: controlPlaneConfig }));
  expect(t.spec(EtcFileSpec, FILE)).toBeNull();
});

test("apid does not trust them, and nothing is reissued", async () => {
  await using node = await mountNode();
  const [before, other] = [serialNumbers(node), await otherRoot("os")];
  const trusted = node.spec(ApiCertificates, "api")?.acceptedCAs;
  await node.update(MachineConfig, ACTIVE, () => ({
    yaml: `${controlPlaneConfig}${document("mine", other.crt)}`,
  }));
  expect(node.spec(EtcFileSpec, FILE)?.contents).toContain(other.crt);
  expect(node.spec(ApiCertificates, "api")?.acceptedCAs).toEqual(trusted);
  expect(differing(before, serialNumbers(node))).toEqual([]);
});
