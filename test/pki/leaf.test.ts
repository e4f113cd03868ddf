import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { beforeAll, describe, expect, test } from "vitest";
import { after, at, hours, minutes, systemRandom as random, type Instant } from "#runtime";
import {
  AlgorithmMismatchError,
  AltNameInvalidError,
  AuthorityExpiredError,
  authorityPem,
  authorityProfiles,
  buildName,
  CertificateRefusedError,
  compilePolicy,
  issueAuthority,
  issueCertificate,
  leafIssuer,
  leafProfiles,
  organizations,
  PolicyRefusedError,
  readCertificate,
  readPrivateKey,
  sameKey,
  webCryptoKeys,
  type AuthorityProfile,
  type Certificate,
  type KeyedPem,
  type LeafProfile,
  type LeafRequest,
} from "#pki";
import { demoRoots } from "./demo.ts";
import { openssl } from "./openssl.ts";

const keys = webCryptoKeys();
const now = at("2030-01-01T00:00:00");
const issueLeaf = leafIssuer({ keys, random });
const rootOf = async (profile: AuthorityProfile, when: Instant = now) =>
  authorityPem(await issueAuthority(profile, { keys, now: when, random }));
const issue = async (request: LeafRequest): Promise<Certificate> =>
  readCertificate((await issueLeaf(request)).crt);

const roots: Partial<Record<LeafProfile["root"], KeyedPem>> = {};
beforeAll(async () => {
  // Older than the leaves, so that those of ten years are cut short.
  for (const [name, profile] of Object.entries(authorityProfiles))
    roots[name as LeafProfile["root"]] = await rootOf(profile, after(now, -hours(1)));
});

const SRV = "TLS Web Server Authentication";
const CLI = "TLS Web Client Authentication";
const DS = "Digital Signature";
const DS_KE = "Digital Signature, Key Encipherment";
const SUBJECT = "given"; // the request's, not the profile's
const YEAR = 8760;
const UNTIL_ROOT = 87_599; // the root is an hour old

/** talos-pki.md §2.3, written down a second time. */
const rows: Record<keyof typeof leafProfiles, [string, string, string, string, number]> = {
  apidServer: ["os", SUBJECT, DS, SRV, 24],
  apidClient: ["os", "O = os:impersonator", DS, CLI, 24],
  nodeServer: ["os", SUBJECT, DS, SRV, 24],
  nodeIdentity: ["os", "O = trustplane:node", DS, CLI, 24],
  trustdServer: ["os", SUBJECT, DS_KE, SRV, 24],
  maintenanceServer: ["maintenance", "CN = maintenance-service.talos.dev", DS, SRV, 23],
  talosClient: ["os", SUBJECT, DS, CLI, YEAR],
  etcdServer: ["etcd", SUBJECT, DS_KE, `${SRV}, ${CLI}`, UNTIL_ROOT],
  etcdPeer: ["etcd", SUBJECT, DS_KE, `${SRV}, ${CLI}`, UNTIL_ROOT],
  etcdAdmin: ["etcd", "CN = talos", DS_KE, CLI, UNTIL_ROOT],
  etcdApiServer: ["etcd", "CN = kube-apiserver", DS_KE, CLI, UNTIL_ROOT],
  kubeApiServer: ["kubernetes", "O = kube-master, CN = kube-apiserver", DS_KE, SRV, YEAR],
  apiServerKubeletClient: [
    "kubernetes",
    "O = system:masters, CN = apiserver-kubelet-client",
    DS_KE,
    CLI,
    YEAR,
  ],
  frontProxyClient: ["aggregator", "CN = front-proxy-client", DS_KE, CLI, YEAR],
  controllerManager: [
    "kubernetes",
    "O = system:kube-controller-manager, CN = system:kube-controller-manager",
    DS_KE,
    CLI,
    YEAR,
  ],
  scheduler: [
    "kubernetes",
    "O = system:kube-scheduler, CN = system:kube-scheduler",
    DS_KE,
    CLI,
    YEAR,
  ],
  admin: ["kubernetes", "O = system:masters, CN = talos:admin", DS_KE, CLI, YEAR],
  userAdmin: ["kubernetes", "O = system:masters, CN = admin", DS_KE, CLI, YEAR],
};

describe("talos-pki.md §2.3: leaves, judged by OpenSSL and @peculiar/x509", () => {
  test.each(Object.entries(rows))("%s", async (name, [root, subject, usage, extended, life]) => {
    const profile: LeafProfile = leafProfiles[name as keyof typeof leafProfiles];
    const authority = roots[profile.root]!;
    const server = extended.includes(SRV);
    const given = subject === SUBJECT ? { commonName: "node.example" } : {};
    const roles = name === "talosClient" ? { organizations: ["b", "a"] } : {};
    const names = server
      ? { dnsNames: ["node.example", "localhost"], ipAddresses: ["192.0.2.1", "2001:db8::1"] }
      : {};
    const { crt, key } = await issueLeaf({ profile, authority, ...given, ...roles, ...names, now });

    expect(profile.root).toBe(root);
    const files = { "leaf.pem": crt, "ca.pem": authority.crt };
    const at = ["-attime", String(now / 1000), "-CAfile", "ca.pem"];
    for (const purpose of [server && "sslserver", extended.includes(CLI) && "sslclient"])
      if (purpose)
        expect(openssl(["verify", ...at, "-purpose", purpose, "leaf.pem"], files)).toBe(
          "leaf.pem: OK\n",
        );

    const text = openssl(["x509", "-in", "leaf.pem", "-noout", "-text"], files);
    const named = name === "talosClient" ? "O = a + O = b, CN = node.example" : "CN = node.example";
    const expected = subject === SUBJECT ? named : subject;
    expect(text).toContain(`Subject: ${expected}\n`);
    expect(extensionsIn(text)).toEqual([
      ["X509v3 Key Usage: critical", usage],
      ["X509v3 Extended Key Usage:", extended],
      [
        "X509v3 Authority Key Identifier:",
        expect.stringMatching(/^([0-9A-F]{2}:){19}[0-9A-F]{2}$/),
      ],
      ...(server
        ? [
            [
              "X509v3 Subject Alternative Name:",
              "DNS:node.example, DNS:localhost, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1",
            ],
          ]
        : []),
    ]);

    const theirs = new x509.X509Certificate(crt);
    const issuer = new x509.X509Certificate(authority.crt);
    expect(await theirs.verify({ publicKey: issuer, signatureOnly: true })).toBe(true);
    expect(theirs.notBefore.getTime()).toBe(now - minutes(15));
    expect(theirs.notAfter.getTime()).toBe(Math.min(now + hours(life), issuer.notAfter.getTime()));
    expect(sameKey(readPrivateKey(key).publicKey, readCertificate(crt).publicKey)).toBe(true);
  });

  test("no profile is left out", () => {
    expect(Object.keys(rows).sort()).toEqual(Object.keys(leafProfiles).sort());
  });
});

/** Titles and contents of the extensions, in their order. */
function extensionsIn(text: string): [string, string][] {
  const body = text.slice(
    text.indexOf("X509v3 extensions:"),
    text.lastIndexOf("Signature Algorithm"),
  );
  const lines = body.split("\n").slice(1, -1);
  return lines.flatMap((line, i) =>
    i % 2 === 0 ? [[line.trim(), (lines[i + 1] ?? "").trim()] as [string, string]] : [],
  );
}

describe("talos-pki.md §2.1: what a leaf is like", () => {
  const request = (more: Partial<LeafRequest> = {}): LeafRequest => ({
    profile: leafProfiles.apidServer,
    authority: roots.os!,
    commonName: "a.example",
    now,
    ...more,
  });

  test("the issuer's name is the very bytes of the authority's subject", async () => {
    // In UTF8String where we would write PrintableString.
    const key = await keys.issueKey("Ed25519");
    const odd = buildName({ organizations: ["talos_"] });
    const der = odd.der.map((octet) => (octet === 0x5f ? 0x2e : octet));
    const ca = await issueCertificate({
      issuer: "self",
      key,
      subject: { ...odd, der },
      publicKey: key.publicKey,
      notBefore: now,
      notAfter: after(now, hours(100)),
      keyUsages: ["keyCertSign"],
      extKeyUsages: [],
      ca: true,
      random,
    });
    const leaf = await issue(request({ authority: { crt: ca.pem, key: await key.pem() } }));
    expect(leaf.issuer.der).toEqual(der);
    expect(leaf.issuer.der).not.toEqual(buildName({ organizations: ["talos."] }).der);
    expect(leaf.authorityKeyId).toBeUndefined(); // this authority has no identifier
  });

  test("an empty subject makes the names critical, and under an empty issuer the key identifier goes", async () => {
    const nameless = { commonName: "", dnsNames: ["a.example"] };
    const under = await issue(request(nameless));
    expect(under.extensions.find(({ oid }) => oid === "2.5.29.17")?.critical).toBe(true);
    expect(under.authorityKeyId).toBeDefined();
    const profile = leafProfiles.frontProxyClient;
    // The default policy lets this profile have no names.
    const rules = { commonNames: ["*"], namesMax: 1 };
    const policy = compilePolicy({ profiles: { frontProxyClient: rules } });
    const allowing = leafIssuer({ keys, random, policy: () => policy });
    const issueFor = async (names: Partial<LeafRequest>) => {
      const asked = request({ ...names, profile, authority: roots.aggregator! });
      return readCertificate((await allowing(asked)).crt);
    };
    const empty = await issueFor(nameless);
    expect(empty.authorityKeyId).toBeUndefined();
    const named = await issueFor({ dnsNames: ["b"] });
    expect(named.extensions.find(({ oid }) => oid === "2.5.29.17")?.critical).toBe(false);
  });

  test("a policy shortens what nobody has asked for, and refuses what somebody has", async () => {
    const rules = { lifetimeMax: "10m" };
    const policy = compilePolicy({ profiles: { apidServer: rules } });
    const asked = request({ profile: leafProfiles.apidServer });
    const short = leafIssuer({ keys, random, policy: () => policy });
    const { notBefore, notAfter } = readCertificate((await short(asked)).crt);
    expect(notAfter - notBefore).toBe(minutes(15 + 10));
    await expect(short({ ...asked, lifetime: minutes(11) })).rejects.toThrow(PolicyRefusedError);
    expect(readCertificate((await issueLeaf(asked)).crt).notAfter).toBeGreaterThan(notAfter);
  });

  test("roles share one RDN, and none are lost", async () => {
    const leaf = await issue(
      request({
        profile: leafProfiles.talosClient,
        commonName: "",
        organizations: ["os:reader", "os:admin", "os:etcd:backup"],
      }),
    );
    expect(organizations(leaf.subject)).toEqual(["os:admin", "os:reader", "os:etcd:backup"]);
    const [set] = new x509.X509Certificate(leaf.pem).subjectName.toJSON();
    expect(set).toEqual({ O: ["os:admin", "os:reader", "os:etcd:backup"] });
  });

  test("an address that is mapped into IPv6 is that of IPv4", async () => {
    const leaf = await issue(request({ ipAddresses: ["::ffff:192.0.2.7", "2001:0DB8::0:1"] }));
    expect(leaf.ipAddresses).toEqual(["192.0.2.7", "2001:db8::1"]);
  });

  test.each([
    { dnsNames: ["not a name"] },
    { dnsNames: ["192.0.2.1"] },
    { ipAddresses: ["a.example"] },
    { ipAddresses: ["fe80::1%eth0"] },
  ])("%j cannot be certified", async (names) => {
    await expect(issueLeaf(request(names))).rejects.toThrow(AltNameInvalidError);
  });

  test.each([
    ["Ed25519", "Ed25519", "Ed25519"],
    ["P-256", "P-256", "ECDSA-SHA256"],
    ["P-384", "P-256", "ECDSA-SHA256"],
  ] as const)("an authority of %s has leaves of %s", async (keyAlgorithm, leafKey, signature) => {
    const authority = await rootOf({ ...authorityProfiles.os, keyAlgorithm });
    const leaf = await issue(request({ authority }));
    expect(leaf.publicKey.algorithm).toBe(leafKey);
    expect(leaf.signatureAlgorithm).toBe(signature);
  });

  test(
    "an authority of RSA has leaves of RSA-4096, signed with SHA-512",
    { timeout: 120_000 },
    async () => {
      const authority = await rootOf({ ...authorityProfiles.os, keyAlgorithm: "RSA-2048" });
      const { crt, key } = await issueLeaf(request({ authority }));
      const leaf = readCertificate(crt);
      expect(leaf.publicKey.algorithm).toBe("RSA-4096");
      expect(leaf.signatureAlgorithm).toBe("SHA512-RSA");
      const files = { "ca.pem": authority.crt, "leaf.pem": crt, "key.pem": key };
      const verify = ["verify", "-attime", String(now / 1000), "-CAfile", "ca.pem", "leaf.pem"];
      expect(openssl(verify, files)).toBe("leaf.pem: OK\n");
      expect(openssl(["rsa", "-in", "key.pem", "-check", "-noout"], files)).toBe("RSA key ok\n");
    },
  );

  test("an authority that another type of key signed cannot issue", async () => {
    const parent = await issueAuthority(authorityProfiles.os, { keys, now, random });
    const key = await keys.issueKey("P-256");
    const between = await issueCertificate({
      issuer: parent,
      subject: buildName({ organizations: ["between"] }),
      publicKey: key.publicKey,
      notBefore: now,
      notAfter: after(now, hours(10)),
      keyUsages: ["keyCertSign"],
      extKeyUsages: [],
      ca: true,
      random,
    });
    const authority = { crt: between.pem, key: await key.pem() };
    await expect(issueLeaf(request({ authority }))).rejects.toThrow(AlgorithmMismatchError);
  });

  test("Talos' own authorities issue", async () => {
    const leaf = await issue({
      ...request(),
      authority: demoRoots.kubernetes,
      profile: leafProfiles.kubeApiServer,
      commonName: "kube-apiserver",
    });
    expect(leaf.issuer.der).toEqual(readCertificate(demoRoots.kubernetes.crt).subject.der);
    expect(leaf.authorityKeyId).toEqual(readCertificate(demoRoots.kubernetes.crt).subjectKeyId);
  });
});

describe("dates", () => {
  const request = { profile: leafProfiles.talosClient, commonName: "a" };

  test("a leaf never outlives its issuer", async () => {
    const authority = await rootOf({ ...authorityProfiles.os, lifetime: hours(48) });
    const leaf = await issue({ ...request, authority, now });
    expect(leaf.notAfter).toBe(readCertificate(authority.crt).notAfter);
  });

  test("an authority that has ended issues nothing, to the second", async () => {
    const authority = await rootOf({ ...authorityProfiles.os, lifetime: hours(48) });
    const { notAfter } = readCertificate(authority.crt);
    const issuing = issueLeaf({ ...request, authority, now: notAfter });
    await expect(issuing).rejects.toThrow(AuthorityExpiredError);
    await expect(issuing).rejects.toThrow(/O = talos ended on 2030-01-02T23:45:00/);
    const last = await issue({ ...request, authority, now: after(notAfter, -1000) });
    expect(last.notAfter).toBe(notAfter);
  });

  test("a lifetime that is nothing is refused at the gate", async () => {
    const issuing = issueLeaf({ ...request, authority: roots.os!, now, lifetime: 0 });
    await expect(issuing).rejects.toThrow(CertificateRefusedError);
  });

  test("seconds are whole, also when the clock is within one", async () => {
    const leaf = await issue({ ...request, authority: roots.os!, now: after(now, 789) });
    expect([leaf.notBefore, leaf.notAfter]).toEqual([now - minutes(15), now + hours(YEAR)]);
  });

  test("from 2050 on times are a GeneralizedTime, which OpenSSL reads too", async () => {
    const when = at("2049-06-01");
    const authority = await rootOf(authorityProfiles.os, when);
    const leaf = await issue({ ...request, authority, now: when });
    const parsed = openssl(["asn1parse", "-in", "leaf.pem"], { "leaf.pem": leaf.pem });
    expect(parsed).toMatch(/UTCTIME\s+:490531234500Z/);
    expect(parsed).toMatch(/GENERALIZEDTIME\s+:20500601000000Z/);
    expect(leaf.notAfter).toBe(at("2050-06-01"));
  });
});
