import { beforeAll, describe, expect, test } from "vitest";
import { after, at, days, hours, minutes, systemRandom as random } from "#runtime";
import {
  authorityPem,
  authorityProfiles,
  defaultInForce,
  issueAuthority,
  keepLeaf,
  leafIssuer,
  leafProfiles,
  readCertificate,
  renewAt,
  SKEW,
  webCryptoKeys,
  type Certificate,
  type KeyedPem,
  type LeafRequest,
} from "#pki";

const keys = webCryptoKeys();
const now = at("2030-01-01");
/** Organizations change here, which the default policy would not let these leaves have. */
const lawless = {
  ...defaultInForce(),
  checks: { apidServer: [], apidClient: [], trustdServer: [] },
};
const issueLeaf = leafIssuer({ keys, random, policy: () => lawless });
const newRoot = async () =>
  authorityPem(
    await issueAuthority(authorityProfiles.os, { keys, now: after(now, -days(30)), random }),
  );

let authority: KeyedPem;
let request: LeafRequest;
let held: KeyedPem;
beforeAll(async () => {
  authority = await newRoot();
  request = {
    profile: leafProfiles.apidServer,
    authority,
    commonName: "a.example",
    organizations: ["b", "a"],
    dnsNames: ["a.example", "b.example"],
    ipAddresses: ["192.0.2.1", "2001:db8::1"],
    now,
  };
  held = await issueLeaf(request);
});

describe("when a leaf is renewed", () => {
  const issuer = { notAfter: at("2040-01-01") } as Certificate;
  const leaf = (serialNumber: bigint): Certificate =>
    ({
      serialNumber,
      notBefore: after(now, -SKEW),
      notAfter: after(now, days(100)),
    }) as Certificate;
  const high = 0xabcdef_00000000n;

  test("at 40 % of its life for the lowest serial number, just before 75 % for the highest", () => {
    expect(renewAt(leaf(high), issuer)).toBe(now + days(40));
    const latest = renewAt(leaf(high | 0xffffffffn), issuer)!;
    expect(latest).toBeLessThan(now + days(75));
    expect(latest).toBeGreaterThan(now + days(75) - minutes(1));
    expect(renewAt(leaf(high | 0x80000000n), issuer)).toBe(now + days(57.5));
  });

  test("never where it ends with its issuer", () => {
    expect(renewAt(leaf(1n), { notAfter: after(now, days(100)) } as Certificate)).toBeNull();
    expect(renewAt(leaf(1n), { notAfter: after(now, days(99)) } as Certificate)).toBeNull();
    expect(renewAt(leaf(1n), { notAfter: after(now, days(101)) } as Certificate)).not.toBeNull();
  });

  test("before its end, also when it is shorter than our backdating", () => {
    const short = { ...leaf(0n), notAfter: after(now, -SKEW + minutes(5)) } as Certificate;
    expect(renewAt(short, issuer)).toBeLessThanOrEqual(short.notAfter);
  });
});

describe("a held leaf", () => {
  const keep = (change: Partial<LeafRequest> = {}, holding: KeyedPem | undefined = held) =>
    keepLeaf({ held: holding, request: { ...request, ...change }, issueLeaf });

  test("is kept, the very object, while nothing changes", async () => {
    const kept = await keep();
    expect(kept.leaf).toBe(held);
    expect(kept.reason).toBeNull();
    const dueAt = renewAt(readCertificate(held.crt), readCertificate(authority.crt))!;
    expect(kept.renewAt).toBe(dueAt);
    expect((await keep({ now: after(dueAt, -1) })).leaf).toBe(held);
  });

  test("is kept when lists only stand in another order, or other writing", async () => {
    const kept = await keep({
      organizations: ["a", "b"],
      dnsNames: ["b.example", "a.example"],
      ipAddresses: ["2001:DB8:0::1", "::ffff:192.0.2.1"],
    });
    expect(kept.leaf).toBe(held);
  });

  test("is kept under a copy of its authority", async () => {
    expect((await keep({ authority: { ...authority } })).leaf).toBe(held);
  });

  test.each<[string, string, (dueAt: number) => Partial<LeafRequest>]>([
    ["it is due", "due", (dueAt) => ({ now: dueAt as LeafRequest["now"] })],
    ["a DNS name is added", "names changed", () => ({ dnsNames: ["a.example", "b.example", "c"] })],
    ["a DNS name is dropped", "names changed", () => ({ dnsNames: ["a.example"] })],
    ["an address changes", "names changed", () => ({ ipAddresses: ["192.0.2.2", "2001:db8::1"] })],
    ["the common name changes", "names changed", () => ({ commonName: "b.example" })],
    ["an organization is dropped", "names changed", () => ({ organizations: ["a"] })],
    ["its extended usage changes", "profile changed", () => ({ profile: leafProfiles.apidClient })],
    ["its usage changes", "profile changed", () => ({ profile: leafProfiles.trustdServer })],
    ["its lifetime changes", "lifetime changed", () => ({ lifetime: hours(12) })],
    ["the clock stepped back", "not yet valid", () => ({ now: after(now, -days(1)) })],
  ])("is issued anew when %s", async (_what, reason, change) => {
    const { renewAt: dueAt } = await keep();
    const kept = await keep({ commonName: "a.example", ...change(dueAt!) });
    expect(kept.reason).toBe(reason);
    expect(kept.leaf).not.toBe(held);
    // What has just been issued for a request is kept for it.
    const again = await keep(change(dueAt!), kept.leaf);
    expect(again.reason).toBeNull();
    expect(again.leaf).toBe(kept.leaf);
    expect(again.renewAt).toBe(kept.renewAt);
  });

  test("is issued anew when there is none", async () => {
    const kept = await keepLeaf({ held: undefined, request, issueLeaf });
    expect(kept.reason).toBe("missing");
  });

  test("is issued anew under another authority of the same name", async () => {
    const other = await newRoot();
    const kept = await keep({ authority: other });
    expect(kept.reason).toBe("issuer changed");
    expect(readCertificate(kept.leaf.crt).authorityKeyId).toEqual(
      readCertificate(other.crt).subjectKeyId,
    );
  });

  test("is issued anew when its authority has the same key and another key identifier", async () => {
    const first = await issueAuthority(authorityProfiles.os, { keys, now, random });
    const oneKey = { ...keys, issueKey: async () => first.key };
    const second = await issueAuthority(authorityProfiles.os, { keys: oneKey, now, random });
    const under = await issueLeaf({ ...request, authority: await authorityPem(first) });
    const kept = await keep({ authority: await authorityPem(second) }, under);
    expect(kept.reason).toBe("issuer changed");
  });

  test("is issued anew when its authority's key changed, and nothing else of it", async () => {
    const first = await issueAuthority(authorityProfiles.os, { keys, now, random });
    const same = { bytes: () => new Uint8Array(first.certificate.subjectKeyId!) };
    const second = await issueAuthority(authorityProfiles.os, { keys, now, random: same });
    const under = await issueLeaf({ ...request, authority: await authorityPem(first) });
    const kept = await keep({ authority: await authorityPem(second) }, under);
    expect(kept.reason).toBe("issuer changed");
  });

  test.each<[string, () => Promise<KeyedPem> | KeyedPem, string]>([
    [
      "key is another's",
      async () => ({ ...held, key: (await issueLeaf(request)).key }),
      "key mismatch",
    ],
    ["key is missing", () => ({ ...held, key: "" }), "unreadable"],
    [
      "certificate is damaged",
      () => ({ ...held, crt: held.crt.replace("MII", "MIJ") }),
      "unreadable",
    ],
    ["certificate is a key", () => ({ ...held, crt: held.key }), "unreadable"],
    ["certificate is the authority's", () => authority, "profile changed"],
  ])("is issued anew when its %s", async (_what, damaged, reason) => {
    // An authority is issued by itself, so that only its profile gives it away here.
    const root = { ...(await damaged()) };
    const kept = await keepLeaf({ held: root, request, issueLeaf });
    expect(kept.reason).toBe(reason);
    expect(await keep({}, kept.leaf)).toMatchObject({ reason: null });
  });

  test("is kept to its end where its issuer ends as well", async () => {
    const brief = await authorityPem(
      await issueAuthority({ ...authorityProfiles.os, lifetime: hours(2) }, { keys, now, random }),
    );
    const capped = await issueLeaf({ ...request, authority: brief });
    const kept = await keep({ authority: brief, now: after(now, hours(3)) }, capped);
    expect(kept.leaf).toBe(capped);
    expect(kept.renewAt).toBeNull();
  });

  test("costs next to nothing while it is kept", async () => {
    await keep();
    const before = process.cpuUsage();
    for (let i = 0; i < 1000; i++) await keep();
    const { user } = process.cpuUsage(before);
    expect(user / 1000).toBeLessThan(150); // ms; reading it each time takes more
  });
});
