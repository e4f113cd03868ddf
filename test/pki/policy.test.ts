import { describe, expect, test } from "vitest";
import { after, at, hours, minutes } from "#runtime";
import {
  buildName,
  compilePolicy,
  defaultInForce,
  defaultPolicy,
  examine,
  judge,
  leafProfiles,
  PolicyInvalidError,
  type Bounds,
  type Judged,
  type ProfileRules,
} from "#pki";

const spki = new Uint8Array();
const notBefore = at("2030-01-01");

/** What a node serves, in every respect as it should be. */
const served = (change: Partial<Judged> = {}): Judged => ({
  subject: buildName({ commonName: "w1.example.com" }),
  publicKey: { algorithm: "Ed25519", spki },
  dnsNames: ["w1.example.com", "w1"],
  ipAddresses: ["192.0.2.7", "2001:db8::7"],
  subjectAltNames: [],
  isCa: false,
  keyUsages: ["digitalSignature"],
  extKeyUsages: ["serverAuth"],
  notBefore,
  notAfter: after(notBefore, hours(24) + minutes(15)),
  ...change,
});

const commonName = (text: string) => ({ subject: buildName({ commonName: text }) });
const roles = (...organizations: string[]) => ({ subject: buildName({ organizations }) });
const names = (...dnsNames: string[]) => ({ ...commonName(""), dnsNames });
const addresses = (...ipAddresses: string[]) => ({ ...names(), ipAddresses });
const key = (algorithm: Judged["publicKey"]["algorithm"]) => ({ publicKey: { algorithm, spki } });
const life = (ms: number) => ({ notAfter: after(notBefore, ms + minutes(15)) });

const NAME = "subjectAltName.dNSName";
const ADDRESS = "subjectAltName.iPAddress";

/** Rule, its bound, what it lets through, and what it refuses: field, value, reason. */
const rows: readonly (readonly [
  keyof ProfileRules,
  unknown,
  readonly Partial<Judged>[],
  readonly (readonly [Partial<Judged>, string, string, string])[],
])[] = [
  [
    "commonNames",
    ["w*.example.com", "exact", ""],
    [
      commonName("w1.example.com"),
      commonName("w.example.com"),
      commonName("exact"),
      commonName(""),
    ],
    [
      [commonName("exactly"), "subject.commonName", "exactly", 'allowed are "w*.example.com"'],
      [commonName("w.example.co"), "subject.commonName", "w.example.co", "allowed are"],
      [commonName("example.com"), "subject.commonName", "example.com", "allowed are"],
    ],
  ],
  [
    "commonNames",
    ["a*a", "b*c*cd"],
    [commonName("aa"), commonName("a-a"), commonName("bccd"), commonName("b.c.cd")],
    [
      [commonName("a"), "subject.commonName", "a", "allowed are"],
      [commonName("bcd"), "subject.commonName", "bcd", "allowed are"],
    ],
  ],
  [
    "commonNameIsName",
    true,
    [{}, commonName(""), commonName("192.0.2.7")],
    [[commonName("other"), "subject.commonName", "other", "it is none of the names and addresses"]],
  ],
  ["commonNameIsName", false, [commonName("other")], []],
  [
    "organizations",
    ["team-*"],
    [roles(), roles("team-a", "team-b")],
    [[roles("team-a", "os:admin"), "subject.organizationName", "os:admin", 'allowed is "team-*"']],
  ],
  [
    "excludedOrganizations",
    ["system:*"],
    [roles(), roles("team-a"), roles("ecosystem:a")],
    [[roles("a", "system:masters"), "subject.organizationName", "system:masters", "is excluded"]],
  ],
  [
    "namesMax",
    4,
    [{}, names()],
    [[{ dnsNames: ["a", "b", "c"] }, "subjectAltName", "5", "at most 4 names and addresses"]],
  ],
  [
    "dnsNames",
    ["W1", "*.example.com"],
    [names("w1", "a.example.com", "A.EXAMPLE.com"), names()],
    [
      [names("example.com"), NAME, "example.com", 'allowed are "W1", "*.example.com"'],
      [names("a.b.example.com"), NAME, "a.b.example.com", "allowed are"],
      [names("w2"), NAME, "w2", "allowed are"],
      [names("a b.example.com"), NAME, "a b.example.com", "allowed are"],
    ],
  ],
  [
    "dnsNames",
    ["*"],
    [names("a", "a.b", "xn--bcher-kva.example", "a_b", "*.example")],
    [
      ["trailing.example."],
      ["nul\0.example"],
      ["bücher.example"],
      ["a..b"],
      [""],
      ["a b"],
      ["10.0.0.1"],
      ["-a"],
    ].map(([name = ""]) => [names(name), NAME, name, 'allowed is "*"'] as const),
  ],
  ["dnsNames", [], [names()], [[names("a"), NAME, "a", "none is allowed"]]],
  [
    "excludedDnsNames",
    ["*.internal", "vip"],
    [names("a.example", "internal", "a.b.internal")],
    [
      [names("a.internal"), NAME, "a.internal", "it is excluded"],
      [names("VIP"), NAME, "VIP", "it is excluded"],
    ],
  ],
  [
    "wildcards",
    false,
    [names("a.example")],
    [[names("*.example"), NAME, "*.example", "wildcards are not allowed"]],
  ],
  ["wildcards", true, [names("*.example")], []],
  [
    "addresses",
    ["192.0.2.0/25", "10.1.2.3", "2001:db8::/33"],
    [addresses("192.0.2.0", "192.0.2.127", "10.1.2.3", "2001:db8:7fff::1"), addresses()],
    [
      [addresses("192.0.2.128"), ADDRESS, "192.0.2.128", 'allowed are "192.0.2.0/25"'],
      [addresses("10.1.2.4"), ADDRESS, "10.1.2.4", "allowed are"],
      [addresses("2001:db8:8000::"), ADDRESS, "2001:db8:8000::", "allowed are"],
      [addresses("::1"), ADDRESS, "::1", "allowed are"],
    ],
  ],
  ["addresses", ["0.0.0.0/0"], [addresses("8.8.8.8")], [[addresses("::1"), ADDRESS, "::1", ""]]],
  [
    "excludedAddresses",
    ["10.96.0.0/12"],
    [addresses("10.112.0.1")],
    [[addresses("10.111.255.255"), ADDRESS, "10.111.255.255", "it is excluded"]],
  ],
  [
    "keyUsages",
    ["keyEncipherment", "digitalSignature"],
    [{ keyUsages: ["digitalSignature", "keyEncipherment"] }],
    [
      [{}, "keyUsage", "digitalSignature", "it has to be keyEncipherment, digitalSignature"],
      [{ keyUsages: [] }, "keyUsage", "", "it has to be"],
      [
        { keyUsages: ["digitalSignature", "keyEncipherment", "keyCertSign"] },
        ...["keyUsage", "digitalSignature, keyEncipherment, keyCertSign", "it has to be"],
      ] as unknown as readonly [Partial<Judged>, string, string, string],
    ],
  ],
  [
    "extKeyUsages",
    ["serverAuth"],
    [{}],
    [
      [{ extKeyUsages: ["clientAuth"] }, "extKeyUsage", "clientAuth", "it has to be serverAuth"],
      [{ extKeyUsages: [] }, "extKeyUsage", "", "it has to be serverAuth"],
    ],
  ],
  [
    "lifetimeMax",
    "1h30m",
    [life(minutes(90))],
    [[life(minutes(90) + 1000), "validity", "1h45m1s", "it may be 1h30m, and the 15m that it is"]],
  ],
  [
    "keyAlgorithms",
    ["P-256", "RSA-3072"],
    [key("P-256"), key("RSA-3072"), key("RSA-4096")],
    [
      [key("Ed25519"), "subjectPublicKeyInfo", "Ed25519", 'allowed are "P-256", "RSA-3072"'],
      [key("RSA-2048"), "subjectPublicKeyInfo", "RSA-2048", "allowed are"],
    ],
  ],
];

/** Only the one rule of the profile is looked at. */
const underRule = (rule: keyof ProfileRules, bound: unknown) => {
  const policy = compilePolicy({ profiles: { nodeServer: { [rule]: bound } } });
  return (judged: Judged) =>
    [...examine(judged, "nodeServer", policy)].filter(
      (finding) => finding.rule === `nodeServer.${rule}` && finding.why !== undefined,
    );
};

describe("each rule of a policy", () => {
  test("is in the table, with what it lets through and what it refuses", () => {
    const tested = rows.filter(([, , good, bad]) => good.length > 0 && bad.length > 0);
    const known = new Set(tested.map(([rule]) => rule));
    expect([...known].sort()).toEqual(
      [
        ...["addresses", "commonNameIsName", "commonNames", "dnsNames", "excludedAddresses"],
        ...["excludedDnsNames", "excludedOrganizations", "extKeyUsages", "keyAlgorithms"],
        ...["keyUsages", "lifetimeMax", "namesMax", "organizations", "wildcards"],
      ].sort(),
    );
  });

  test.each(rows)("%s %j", (rule, bound, good, bad) => {
    const refusals = underRule(rule, bound);
    for (const change of good) expect(refusals(served(change))).toEqual([]);
    for (const [change, field, value, why] of bad) {
      const found = refusals(served(change));
      expect(found.map((refusal) => [refusal.field, refusal.value])).toEqual([[field, value]]);
      expect(found[0]?.why).toContain(why);
    }
  });
});

describe("the default policy", () => {
  const judged = (change: Partial<Judged>, profile = "nodeServer") =>
    judge(served(change), profile, defaultInForce()).map(({ rule }) => rule);
  const client = (change: Partial<Judged>) =>
    judged({ ...names(), ipAddresses: [], extKeyUsages: ["clientAuth"], ...change }, "talosClient");

  test("has every profile, whole, and is what it is compiled to", () => {
    expect(Object.keys(defaultPolicy.profiles)).toEqual(Object.keys(leafProfiles));
    expect(defaultInForce().policy).toEqual(defaultPolicy);
  });

  test("lets nodes have host names of their own, and nothing that Talos would not issue", () => {
    expect(judged({})).toEqual([]);
    expect(judged({ ...roles("os:admin"), ...{} })).toEqual(["nodeServer.organizations"]);
    expect(judged(names("*.example.com"))).toEqual(["nodeServer.wildcards"]);
    expect(judged(names("a.example."))).toEqual(["nodeServer.dnsNames"]);
    expect(judged(commonName("cp1"))).toEqual(["nodeServer.commonNameIsName"]);
    expect(judged(key("RSA-1024"))).toEqual(["nodeServer.keyAlgorithms"]);
    expect(judged(life(hours(25)))).toEqual(["nodeServer.lifetimeMax"]);
    expect(judged({ isCa: true })).toEqual(["always.leaf"]);
    expect(judged({ subjectAltNames: [{ kind: "uri", value: "a:b" }] })).toEqual(["always.hosts"]);
  });

  test("does not look at ten thousand names one by one", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => `*.n${n}`);
    expect(judged(names(...many))).toEqual(["nodeServer.namesMax"]);
  });

  test("lets users have any role, also one that nobody knows, but none of nodes and of Kubernetes", () => {
    expect(client(roles("os:admin", "os:impersonator", "our:own"))).toEqual([]);
    for (const role of ["trustplane:node", "system:masters"])
      expect(client(roles("os:admin", role))).toEqual(["talosClient.excludedOrganizations"]);
  });

  test("lets a control plane have what its configuration says of its own names", () => {
    const own = names("*.example.com", "localhost");
    for (const profile of ["apidServer", "etcdServer", "kubeApiServer"])
      expect(judged(own, profile).filter((rule) => rule.toLowerCase().includes("names"))).toEqual(
        profile === "kubeApiServer" ? ["kubeApiServer.commonNames"] : [],
      );
  });

  test("knows no other profiles", () => {
    expect(judged({}, "mine")).toEqual(["always.profile"]);
    expect(judged({}, "toString")).toEqual(["always.profile"]);
  });
});

describe("the bounds of a token", () => {
  const under = (bounds: Bounds, change: Partial<Judged>) =>
    judge(served(change), "nodeServer", defaultInForce(), bounds).map(({ rule }) => rule);

  test("bound names and addresses beside the policy; an empty list bounds nothing", () => {
    const bounds = { dnsNames: ["w1", "*.example.com"], addresses: ["192.0.2.0/24"] };
    expect(under(bounds, { ipAddresses: ["192.0.2.9"] })).toEqual([]);
    expect(under(bounds, {})).toEqual(["token.addresses"]);
    expect(under(bounds, names("w2"))).toEqual(["token.dnsNames", "token.addresses"]);
    expect(under({ dnsNames: [], addresses: [] }, names("w2"))).toEqual([]);
    expect(under({ dnsNames: ["*"], addresses: [] }, names("*.a"))).toEqual([
      "nodeServer.wildcards",
    ]);
  });

  test("that are none are said so", () => {
    const bounds = { dnsNames: [], addresses: ["10.0.0.0/33"] };
    expect(() => under(bounds, {})).toThrow(
      'token.addresses[0]: "10.0.0.0/33" is neither an address nor a CIDR',
    );
  });
});

describe("a text that is no policy names what is wrong", () => {
  test.each<[unknown, string]>([
    [null, "the policy: it has to be a mapping"],
    [{ profiles: [] }, "profiles: it has to be a mapping"],
    [{ profile: {} }, "profile: there is no such member: there is description, since, profiles"],
    [
      { profiles: { nodeserver: {} } },
      "profiles.nodeserver: there is no such profile: there is apid",
    ],
    [{ profiles: { toString: {} } }, "profiles.toString: there is no such profile"],
    [rule({ names: [] }), "profiles.nodeServer.names: there is no such rule: there is namesMax"],
    [rule({ dnsNames: "a" }), "profiles.nodeServer.dnsNames: it has to be a list of texts"],
    [rule({ dnsNames: ["a", 1] }), "profiles.nodeServer.dnsNames[1]: it has to be a text"],
    [rule({ dnsNames: ["*.*.a"] }), "profiles.nodeServer.dnsNames[0]:"],
    [rule({ addresses: ["10.0.0.0/8/8"] }), "profiles.nodeServer.addresses[0]:"],
    [rule({ namesMax: -1 }), "profiles.nodeServer.namesMax: it has to be a whole number"],
    [rule({ wildcards: "no" }), "profiles.nodeServer.wildcards: it has to be true or false"],
    [rule({ lifetimeMax: "1d" }), "profiles.nodeServer.lifetimeMax: it has to be a duration"],
    [rule({ keyAlgorithms: ["RSA"] }), "profiles.nodeServer.keyAlgorithms[0]:"],
    [rule({ keyUsages: ["signing"] }), "profiles.nodeServer.keyUsages[0]:"],
    [rule({ extKeyUsages: ["signing"] }), "profiles.nodeServer.extKeyUsages[0]:"],
  ])("%j", (given, message) => {
    expect(() => compilePolicy(given)).toThrow(PolicyInvalidError);
    expect(() => compilePolicy(given)).toThrow(message);
  });

  test("what is left out is as in the default policy", () => {
    const { policy } = compilePolicy(rule({ namesMax: 5 }));
    expect(policy.profiles.nodeServer).toEqual({
      ...defaultPolicy.profiles.nodeServer,
      namesMax: 5,
    });
    expect(policy.profiles.apidServer).toEqual(defaultPolicy.profiles.apidServer);
  });
});

function rule(bounds: Readonly<Record<string, unknown>>) {
  return { profiles: { nodeServer: bounds } };
}
