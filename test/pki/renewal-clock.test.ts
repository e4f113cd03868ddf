import { expect, test } from "vitest";
import { loadMachineConfig } from "#config";
import { keepLeaf, leafIssuer, leafProfiles, readCertificate, webCryptoKeys } from "#pki";
import { after, days, instantOf, systemRandom } from "#runtime";
import { controlPlaneConfig, START } from "../controllers/control-plane.ts";

const authority = loadMachineConfig(controlPlaneConfig).osRoot().issuingCA ?? { crt: "", key: "" };
const issueLeaf = leafIssuer({ keys: webCryptoKeys(), random: systemRandom });
const request = { profile: leafProfiles.apidServer, authority, commonName: "a", dnsNames: ["a"] };

test("a clock that is behind the authority's own beginning drops no leaf, one just set back does", async () => {
  const held = (await keepLeaf({ held: undefined, request: { ...request, now: START }, issueLeaf }))
    .leaf;
  const begin = readCertificate(authority.crt).notBefore;
  const keepAt = async (now: number) =>
    (await keepLeaf({ held, request: { ...request, now: instantOf(now) }, issueLeaf })).leaf;
  expect(await keepAt(after(begin, -days(1)))).toBe(held);
  expect(await keepAt(START - days(1))).not.toBe(held);
});
