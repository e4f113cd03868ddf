import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { at } from "#runtime";
import {
  CertificateParseError,
  formatName,
  parseCertificate,
  readCertificate,
  readPrivateKey,
  sameKey,
  serialHex,
  signedBy,
} from "#pki";
import { time } from "../../src/pki/der/time.ts";
import * as der from "../../src/pki/der/writer.ts";
import {
  basicConstraintsExtension,
  extKeyUsageExtension,
  keyUsageExtension,
  subjectKeyIdExtension,
} from "../../src/pki/extensions.ts";
import { signatureAlgorithms } from "../../src/pki/keys/algorithms.ts";
import { demoRoots } from "./demo.ts";
import { openssl } from "./openssl.ts";

const oid = (dotted: string, ...value: Uint8Array[]) => der.sequence(der.oid(dotted), ...value);
const { identifier } = signatureAlgorithms.Ed25519;
const spki = der.sequence(identifier, der.octetBits(new Uint8Array(32)));
const validity = der.sequence(time(at("2030-01-01")), time(at("2031-01-01")));
const empty = der.sequence();
const extension = (dotted: string, value: Uint8Array, ...critical: Uint8Array[]) =>
  oid(dotted, ...critical, der.octetString(value));

interface Fields {
  version?: Uint8Array[];
  serial?: Uint8Array;
  inner?: Uint8Array;
  validity?: Uint8Array;
  spki?: Uint8Array;
  extensions?: Uint8Array[];
  tail?: Uint8Array[];
}

/** An encoding with some fields of choice, and a signature by nobody. */
const encode = (fields: Fields = {}) =>
  der.sequence(
    der.sequence(
      ...(fields.version ?? [der.element(0xa0, der.natural(2n))]),
      fields.serial ?? der.natural(1n),
      fields.inner ?? identifier,
      empty,
      fields.validity ?? validity,
      empty,
      fields.spki ?? spki,
      ...(fields.extensions ? [der.element(0xa3, der.sequence(...fields.extensions))] : []),
      ...(fields.tail ?? []),
    ),
    identifier,
    der.octetBits(new Uint8Array(64)),
  );

const parse = (fields?: Fields) => parseCertificate(encode(fields));

describe("the authorities that talosctl made", () => {
  test.each(Object.entries(demoRoots))(
    "%s is built of our parts byte for byte",
    (_name, { crt }) => {
      const ca = readCertificate(crt);
      const { identifier } = signatureAlgorithms[ca.signatureAlgorithm];
      const tbs = der.sequence(
        der.element(der.explicit(0), der.natural(2n)),
        der.natural(ca.serialNumber),
        identifier,
        ca.issuer.der,
        der.sequence(time(ca.notBefore), time(ca.notAfter)),
        ca.subject.der,
        ca.publicKey.spki,
        der.element(
          der.explicit(3),
          der.sequence(
            keyUsageExtension(["digitalSignature", "keyCertSign"]),
            extKeyUsageExtension(["serverAuth", "clientAuth"]),
            basicConstraintsExtension(),
            subjectKeyIdExtension(ca.subjectKeyId!),
          ),
        ),
      );
      expect(der.sequence(tbs, identifier, der.octetBits(ca.signature))).toEqual(ca.der);
      expect(ca.pem).toBe(crt);
    },
  );

  test.each([
    ["os", "O = talos", "Ed25519", "Ed25519"],
    ["kubernetes", "O = kubernetes", "P-256", "ECDSA-SHA256"],
    ["etcd", "O = etcd", "P-256", "ECDSA-SHA256"],
    ["aggregator", "", "P-256", "ECDSA-SHA256"],
  ] as const)("%s says what it is", async (name, subject, key, signature) => {
    const { crt, key: keyPem } = demoRoots[name];
    const ca = readCertificate(crt);
    expect(formatName(ca.subject)).toBe(subject);
    expect(ca.issuer.der).toEqual(ca.subject.der);
    expect(ca).toMatchObject({
      version: 3,
      isCa: true,
      signatureAlgorithm: signature,
      keyUsages: ["digitalSignature", "keyCertSign"],
      extKeyUsages: ["serverAuth", "clientAuth"],
      subjectAltNames: [],
      unknownCritical: [],
    });
    expect(ca.publicKey.algorithm).toBe(key);
    expect("pathLength" in ca || "authorityKeyId" in ca).toBe(false);
    expect(ca.notAfter - ca.notBefore).toBe(87_600 * 3_600_000);
    expect(sameKey(readPrivateKey(keyPem).publicKey, ca.publicKey)).toBe(true);
    expect(await signedBy(ca, ca)).toBe(true);
  });

  test("node:crypto and OpenSSL read the same", () => {
    const { crt } = demoRoots.kubernetes;
    const ours = readCertificate(crt);
    const theirs = new X509Certificate(crt);
    expect(BigInt(`0x${theirs.serialNumber}`)).toBe(ours.serialNumber);
    expect(Date.parse(theirs.validFrom)).toBe(ours.notBefore);
    expect(Date.parse(theirs.validTo)).toBe(ours.notAfter);
    expect(theirs.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(ours.fingerprint);
    const printed = openssl(["x509", "-in", "a.pem", "-noout", "-subject", "-serial"], {
      "a.pem": crt,
    });
    expect(printed).toContain(`subject=${formatName(ours.subject)}\n`);
    expect(printed).toContain(`serial=${serialHex(ours.serialNumber).toUpperCase()}`);
  });

  test("a signature by another key is none", async () => {
    const [os, etcd] = [demoRoots.os, demoRoots.etcd].map(({ crt }) => readCertificate(crt));
    expect(await signedBy(os!, etcd!)).toBe(false);
    expect(await signedBy(etcd!, os!)).toBe(false);
  });
});

test("the bytes that were given may change afterwards", () => {
  const bytes = encode();
  const certificate = parseCertificate(bytes);
  bytes.fill(0);
  expect(parseCertificate(certificate.der).serialNumber).toBe(1n);
});

test("serial numbers have an even number of digits", () => {
  expect([0n, 10n, 255n, 256n].map(serialHex)).toEqual(["00", "0a", "ff", "0100"]);
});

describe("RFC 5280 §4.1: what is refused", () => {
  const refused: Record<string, Fields> = {
    "version 4": { version: [der.element(0xa0, der.natural(3n))] },
    "extensions in version 1": { version: [], extensions: [keyUsageExtension([])] },
    "a negative serial number": { serial: Uint8Array.of(2, 1, 0x80) },
    "signed by one algorithm, and says another": {
      inner: signatureAlgorithms["ECDSA-SHA256"].identifier,
    },
    "a key of an unknown kind": {
      spki: der.sequence(oid("1.2.3.4"), der.octetBits(new Uint8Array(32))),
    },
    "an Ed25519 key with parameters": {
      spki: der.sequence(oid("1.3.101.112", der.nothing()), der.octetBits(new Uint8Array(32))),
    },
    "an Ed25519 key that is too short": {
      spki: der.sequence(identifier, der.octetBits(new Uint8Array(31))),
    },
    "an extension twice": { extensions: [keyUsageExtension([]), keyUsageExtension([])] },
    "no extension in the list": { extensions: [] },
    "something behind the extensions": { extensions: [keyUsageExtension([])], tail: [empty] },
    "an address of five octets": {
      extensions: [extension("2.5.29.17", der.sequence(der.element(0x87, new Uint8Array(5))))],
    },
    "an empty list of names": { extensions: [extension("2.5.29.17", empty)] },
    "a DNS name that is not ASCII": {
      extensions: [extension("2.5.29.17", der.sequence(der.string(0x82, "ü")))],
    },
    "bytes behind the value of an extension": {
      extensions: [extension("2.5.29.15", Uint8Array.of(3, 2, 7, 0x80, 0))],
    },
    "empty name constraints": { extensions: [extension("2.5.29.30", empty)] },
  };
  test.each(Object.entries(refused))("%s", (_what, fields) => {
    expect(() => parse(fields)).toThrow(CertificateParseError);
  });

  test("the error names its source", () => {
    expect(() =>
      readCertificate("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----", "ca.crt"),
    ).toThrow(/^ca\.crt: not a readable certificate: /);
  });
});

describe("RFC 5280 §4.2.1: what is read", () => {
  test("a plain one of version 1", () => {
    expect(parse({ version: [] })).toMatchObject({ version: 1, isCa: false, extensions: [] });
  });

  test("unknown extensions are kept, and the critical of them are listed", () => {
    const certificate = parse({
      extensions: [extension("1.2.3", empty), extension("1.2.4", empty, der.boolean(true))],
    });
    expect(certificate.extensions.map(({ oid }) => oid)).toEqual(["1.2.3", "1.2.4"]);
    expect(certificate.unknownCritical).toEqual(["1.2.4"]);
  });

  test("a path length, of zero too", () => {
    const limit = (n: bigint) =>
      extension("2.5.29.19", der.sequence(der.boolean(true), der.natural(n)));
    expect(parse({ extensions: [limit(0n)] })).toMatchObject({ isCa: true, pathLength: 0 });
  });

  test("names of every kind", () => {
    const names = der.sequence(
      der.string(0x81, "a@b.example"),
      der.string(0x82, "b.example"),
      der.string(0x86, "spiffe://c/d"),
      der.element(0x87, Uint8Array.of(192, 0, 2, 1)),
      der.element(0x87, new Uint8Array(16).fill(1, 15)),
      der.element(0xa4, der.sequence()),
      der.element(0x88, Uint8Array.of(42)),
    );
    expect(parse({ extensions: [extension("2.5.29.17", names)] })).toMatchObject({
      emailAddresses: ["a@b.example"],
      dnsNames: ["b.example"],
      uris: ["spiffe://c/d"],
      ipAddresses: ["192.0.2.1", "::1"],
      subjectAltNames: [{}, {}, {}, {}, {}, { kind: "directory" }, { kind: "other", tag: 8 }],
    });
  });

  test("name constraints", () => {
    const subtree = (...base: Uint8Array[]) => der.sequence(...base);
    const value = der.sequence(
      der.element(0xa0, subtree(der.string(0x82, "example")), subtree(der.string(0x81, ".mail"))),
      der.element(0xa1, subtree(der.element(0x87, Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0)))),
    );
    expect(parse({ extensions: [extension("2.5.29.30", value)] }).nameConstraints).toEqual({
      permitted: [
        { kind: "dns", value: "example" },
        { kind: "email", value: ".mail" },
      ],
      excluded: [
        { kind: "ip", address: Uint8Array.of(10, 0, 0, 0), mask: Uint8Array.of(255, 0, 0, 0) },
      ],
    });
  });

  test("an authority key identifier with issuer and serial number", () => {
    const value = der.sequence(
      der.element(0x80, Uint8Array.of(1, 2)),
      der.element(0xa1, der.element(0xa4, der.sequence())),
      der.element(0x82, Uint8Array.of(1)),
    );
    const { authorityKeyId } = parse({ extensions: [extension("2.5.29.35", value)] });
    expect(authorityKeyId).toEqual(Uint8Array.of(1, 2));
  });

  test("a usage without a name is its identifier", () => {
    const value = extKeyUsageExtension(["serverAuth", "1.3.6.1.5.5.7.3.9", "clientAuth"]);
    expect(parse({ extensions: [value] }).extKeyUsages).toEqual([
      "serverAuth",
      "1.3.6.1.5.5.7.3.9",
      "clientAuth",
    ]);
  });
});
