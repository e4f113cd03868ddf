import { ACTIVE, ApiCertificates, MachineConfig, OSRoot, TrustdCertificates } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { rootOSController } from "../../../src/controllers/secrets/root-os.ts";
import { demoRoots } from "../../pki/demo.ts";
import { controlPlaneConfig, mountNode, START, workerConfig } from "../control-plane.ts";
import { differing, isUnder, otherRoot, serialNumbers } from "../surroundings.ts";

const base64 = (pem: string) => Buffer.from(pem).toString("base64");
const accepting = (...pems: string[]) =>
  controlPlaneConfig.replace(
    "    certSANs:\n",
    `    acceptedCAs:\n${pems.map((pem) => `        - crt: ${base64(pem)}\n`).join("")}    certSANs:\n`,
  );

async function rootOf(yaml: string) {
  await using t = await mount(rootOSController(), { now: START });
  await t.create(MachineConfig, ACTIVE, { yaml });
  return t.spec(OSRoot, "os");
}

test("names and addresses of machine.certSANs are told apart, the token is machine.token", async () => {
  expect(await rootOf(controlPlaneConfig)).toEqual({
    issuingCA: demoRoots.os,
    certSANIPs: ["192.0.2.10"],
    certSANDNSNames: ["demo.example.test"],
    token: "rmdc2g.7cpldjf0sknmkp3e",
    acceptedCAs: [{ crt: demoRoots.os.crt }],
  });
});

test("accepted authorities keep their order, the issuing one is the last", async () => {
  const [first, second] = [await otherRoot("os"), await otherRoot("os")];
  const root = await rootOf(accepting(first.crt, second.crt));
  expect(root?.acceptedCAs.map(({ crt }) => crt)).toEqual([
    first.crt,
    second.crt,
    demoRoots.os.crt,
  ]);
});

test("a worker trusts the root and has no key to issue with", async () => {
  const root = await rootOf(workerConfig);
  expect(root?.issuingCA).toBeNull();
  expect(root?.acceptedCAs).toEqual([{ crt: demoRoots.os.crt }]);
});

test("pods that may use the Talos API reach it by two names more", async () => {
  const access = "        kubernetesTalosAPIAccess:\n            enabled: true\n";
  const yaml = controlPlaneConfig.replace("    features:\n", `    features:\n${access}`);
  expect((await rootOf(yaml))?.certSANDNSNames).toEqual([
    "demo.example.test",
    "talos",
    "talos.default",
  ]);
});

test("an accepted authority reissues nothing, and apid and trustd trust it at once", async () => {
  await using node = await mountNode();
  const [before, other] = [serialNumbers(node), await otherRoot("os")];
  await node.update(MachineConfig, ACTIVE, () => ({ yaml: accepting(other.crt) }));
  const trusted = [{ crt: other.crt }, { crt: demoRoots.os.crt }];
  expect(node.spec(ApiCertificates, "api")?.acceptedCAs).toEqual(trusted);
  expect(node.spec(TrustdCertificates, "trustd")?.acceptedCAs).toEqual(trusted);
  expect(differing(before, serialNumbers(node))).toEqual(["os-accepted-1"]);
});

test("another root reissues what stands under it, and nothing else", async () => {
  await using node = await mountNode();
  const [before, other] = [serialNumbers(node), await otherRoot("os")];
  await node.update(MachineConfig, ACTIVE, (draft) => {
    draft.yaml = draft.yaml
      .replace(base64(demoRoots.os.crt), base64(other.crt))
      .replace(base64(demoRoots.os.key), base64(other.key));
  });
  expect(differing(before, serialNumbers(node))).toEqual([
    "apid-client",
    "apid-server",
    "os-ca",
    "trustd-server",
  ]);
  expect(await isUnder(node.spec(ApiCertificates, "api")?.server, other)).toBe(true);
});
