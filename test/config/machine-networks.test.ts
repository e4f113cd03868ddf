import { expect, test } from "vitest";
import { checkMachineConfig, loadMachineConfig } from "#config";
import { webCryptoKeys } from "#pki";
import { controlPlaneConfig, START } from "../controllers/control-plane.ts";

const check = (text: string) =>
  checkMachineConfig(loadMachineConfig(text, "cp.yaml"), { now: START, keys: webCryptoKeys() });

test.each([
  ["- 10.96.0.0/12", "- 10.96.0.0", /cp\.yaml:\d+.*serviceSubnets.*is not a network/],
  ["- 10.244.0.0/16", "- pods", /podSubnets.*is not a network/],
  ["dnsDomain: cluster.local", "dnsDomain: 'bad domain!'", /dnsDomain.*is not a DNS domain/],
  [
    "    clusterName: demo\n",
    "    clusterName: demo\n    adminKubeconfig:\n        certLifetime: forever\n",
    /certLifetime.*is not a duration/,
  ],
])("%s made %s is refused with its field and line", async (before, after, message) => {
  expect(controlPlaneConfig).toContain(before);
  await expect(check(controlPlaneConfig.replace(before, after))).rejects.toThrow(message);
});

test("an encryption secret of another length is a warning that does not tell it", async () => {
  const text = controlPlaneConfig.replace(/(secretboxEncryptionSecret: ).*/, "$1c2hvcnQ=");
  const { warnings } = await check(text);
  expect(warnings.join()).toContain("is not the base64 of 32 bytes");
  expect(warnings.join()).not.toContain("c2hvcnQ");
});

test("every certificate of an accepted authority is looked at, not only the first", async () => {
  const config = loadMachineConfig(controlPlaneConfig);
  const { crt = "" } = config.osRoot().issuingCA ?? {};
  const broken = `${crt}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
  const accepted = `    acceptedCAs:\n        - crt: ${btoa(broken)}\n    certSANs:`;
  await expect(check(controlPlaneConfig.replace("    certSANs:", accepted))).rejects.toThrow(
    /acceptedCAs/,
  );
});
