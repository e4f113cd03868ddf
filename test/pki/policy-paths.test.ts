/** Every way to a certificate ends at the policy in force. */
import { beforeAll, describe, expect, test } from "vitest";
import { issueTalosconfig } from "#config";
import { at, days, hours, systemRandom as random } from "#runtime";
import {
  authorityPem,
  authorityProfiles,
  buildName,
  certifyCsr,
  compilePolicy,
  defaultInForce,
  issueAuthority,
  issueCsr,
  keepLeaf,
  leafIssuer,
  leafProfiles,
  PolicyRefusedError,
  readAuthority,
  readCertificate,
  readCsr,
  serialHex,
  webCryptoKeys,
  type CompiledPolicy,
  type KeyedPem,
  type LeafRequest,
} from "#pki";

const keys = webCryptoKeys();
const now = at("2030-01-01");

/** Changes between calls, as that of a node does. */
let inForce: CompiledPolicy = defaultInForce();
const policy = () => inForce;
const issueLeaf = leafIssuer({ keys, random, policy });

let authority: KeyedPem;
let request: LeafRequest;
beforeAll(async () => {
  const root = await issueAuthority(authorityProfiles.os, { keys, random, now });
  authority = await authorityPem(root);
  const dnsNames = ["a.example"];
  request = { profile: leafProfiles.apidServer, authority, commonName: "a.example", dnsNames, now };
});

const forbid = (profile: string, rules: Readonly<Record<string, unknown>>) =>
  compilePolicy({ profiles: { [profile]: rules } });

/** Under the default policy it works; under the other one it is refused in these words. */
async function refused(path: () => Promise<unknown>, other: CompiledPolicy, words: RegExp) {
  inForce = defaultInForce();
  await path();
  inForce = other;
  await expect(path()).rejects.toThrow(PolicyRefusedError);
  await expect(path()).rejects.toThrow(words);
  await expect(path()).rejects.toMatchObject({ code: "ERR_POLICY_REFUSED" });
}

const noExample = () => forbid("apidServer", { excludedDnsNames: ["*.example"] });
const NO_EXAMPLE =
  /^the policy refuses the certificate for "CN = a\.example": rule apidServer\.excludedDnsNames, field subjectAltName\.dNSName: "a\.example": it is excluded$/;

describe("a policy that forbids it refuses, naming rule and field", () => {
  test("to issue", () => refused(() => issueLeaf(request), noExample(), NO_EXAMPLE));

  test("to renew what was issued before", async () => {
    inForce = defaultInForce();
    const held = await issueLeaf(request);
    const due = { ...request, now: at("2030-01-01T23:00:00") };
    await refused(() => keepLeaf({ held, request: due, issueLeaf }), noExample(), NO_EXAMPLE);
    const kept = await keepLeaf({ held, request, issueLeaf });
    expect(kept.leaf).toBe(held); // until it is due
  });

  test.each([true, false])(
    "to issue anew when that is asked for, with a new key: %s",
    async (newKey) => {
      inForce = defaultInForce();
      const held = await issueLeaf(request);
      const serialNumber = serialHex(readCertificate(held.crt).serialNumber);
      const path = () =>
        keepLeaf({ held, request, replacement: { serialNumber, newKey }, issueLeaf });
      await refused(path, noExample(), NO_EXAMPLE);
    },
  );

  test("to make a talosconfig", () =>
    refused(
      () =>
        issueTalosconfig({
          ...{ authority, contextName: "c", roles: ["os:admin"], now, issueLeaf },
          lifetime: hours(48),
        }),
      forbid("talosClient", { lifetimeMax: "24h" }),
      /rule talosClient\.lifetimeMax, field validity: "48h15m": it may be 24h, and the 15m /,
    ));

  test("to certify a request, also by the bounds of a token", async () => {
    const pair = await readAuthority(authority, keys);
    const key = await keys.issueKey("Ed25519");
    const subject = buildName({ commonName: "w1.example" });
    const dnsNames = ["w1.example"];
    const csr = await readCsr(
      await issueCsr({ key, subject, dnsNames, ipAddresses: ["10.0.0.7"] }),
    );
    const certify = (bounds?: { dnsNames: string[]; addresses: string[] }) => () =>
      certifyCsr({
        ...{ csr, subject, authority: pair, profile: leafProfiles.nodeServer, now, random, policy },
        ...(bounds && { bounds }),
      });
    await refused(
      certify(),
      forbid("nodeServer", { addresses: ["192.0.2.0/24"] }),
      /rule nodeServer\.addresses, field subjectAltName\.iPAddress: "10\.0\.0\.7": allowed is "192\.0\.2\.0\/24"$/,
    );
    inForce = defaultInForce();
    await certify({ dnsNames: ["*.example"], addresses: [] })();
    await expect(certify({ dnsNames: ["w2.example"], addresses: [] })()).rejects.toThrow(
      /rule token\.dnsNames, field subjectAltName\.dNSName: "w1\.example": allowed is "w2\.example"$/,
    );
  });
});

test("without a policy the default one is in force", async () => {
  const organizations = ["os:admin"];
  await expect(leafIssuer({ keys, random })({ ...request, organizations })).rejects.toThrow(
    /rule apidServer\.organizations, field subject\.organizationName: "os:admin": none is allowed$/,
  );
});

test("what drives a terminal, or is long, is told in a form that does not", async () => {
  const rude = `\u202e\u001b[2J${"x".repeat(500)}`;
  const asked = issueLeaf({ ...request, organizations: [rude], lifetime: days(1) });
  await expect(asked).rejects.toThrow(/organizationName: "\\u\{202e\}\\u001b\[2Jx{90,100}…": none/);
});
