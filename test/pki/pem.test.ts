import { describe, expect, test } from "vitest";
import {
  PemError,
  PemLabelError,
  pemOf,
  readCertificate,
  readCertificates,
  readPem,
  writePem,
} from "#pki";
import { demoRoots } from "./demo.ts";

const body = (length: number) => Uint8Array.from({ length }, (_, i) => i & 0xff);

describe("RFC 7468", () => {
  test.each([1, 47, 48, 49, 300])("a block of %i bytes is read as it was written", (length) => {
    const text = writePem("CERTIFICATE", body(length));
    expect(readPem(text)).toEqual([{ label: "CERTIFICATE", der: body(length) }]);
    const lines = text.split("\n");
    expect(Math.max(...lines.slice(1, -2).map((line) => line.length))).toBeLessThanOrEqual(64);
    expect(text.endsWith("-----END CERTIFICATE-----\n")).toBe(true);
  });

  test("text around blocks, CRLF and blank lines between them are let pass", () => {
    const one = writePem("A", body(100)).replaceAll("\n", "\r\n");
    const two = writePem("B", body(3));
    expect(readPem(`Issuer: x\n${one}\n\n${two}tail`).map(({ label }) => label)).toEqual([
      "A",
      "B",
    ]);
  });

  test.each([
    ["no end", "-----BEGIN A-----\nAAAA\n"],
    ["the end of another", "-----BEGIN A-----\nAAAA\n-----END B-----\n"],
    ["nothing in it", "-----BEGIN A-----\n-----END A-----\n"],
    ["a foreign character", "-----BEGIN A-----\nAA*A\n-----END A-----\n"],
    ["padding within", "-----BEGIN A-----\nAA==AAAA\n-----END A-----\n"],
    ["a digit too few", "-----BEGIN A-----\nAAA\n-----END A-----\n"],
  ])("a block with %s is damaged", (_what, text) => {
    expect(() => readPem(text, "file.pem")).toThrow(PemError);
    expect(() => readPem(text, "file.pem")).toThrow(/^file\.pem: /);
  });
});

describe("talos-pki.md §2.5: labels", () => {
  test("a wrong label names what was found, what is wanted, and where", () => {
    const refused = () => readCertificate(demoRoots.os.key, "machine.ca.crt");
    expect(refused).toThrow(PemLabelError);
    expect(refused).toThrow(
      'machine.ca.crt: found a PEM block "ED25519 PRIVATE KEY" where "CERTIFICATE" belongs',
    );
    expect(refused).not.toThrow(/MC4C/);
  });

  test("a text without a block is no certificate, but an empty pool", () => {
    expect(() => pemOf("nothing", ["CERTIFICATE"], "ca.crt")).toThrow(
      /^ca\.crt: holds no PEM block/,
    );
    expect(readCertificates("")).toEqual([]);
  });

  test("the first block counts for issuing, every block for a pool", () => {
    const text = `${demoRoots.os.crt}\n${demoRoots.etcd.crt}`;
    expect(readCertificate(text).pem).toBe(demoRoots.os.crt);
    expect(readCertificates(text).map(({ pem }) => pem)).toEqual([
      demoRoots.os.crt,
      demoRoots.etcd.crt,
    ]);
    expect(() => readCertificates(demoRoots.os.crt + demoRoots.os.key)).toThrow(PemLabelError);
  });
});
