import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodedError } from "#runtime";
import {
  canonicalAddress,
  formatName,
  isDnsName,
  issueCsr,
  parseCertificate,
  readCertificate,
  readCsr,
  readName,
  readPem,
  readPrivateKey,
  webCryptoKeys,
  writePem,
} from "#pki";
import { buildName } from "#pki";
import { DerReader } from "../../src/pki/der/reader.ts";
import { demoRoots } from "./demo.ts";

const SEED = 20_300_101;
const runs = { seed: SEED, numRuns: 3000 };

/** Passes when `read` returns, or throws a failure with a code. */
function onlyCoded(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
  }
}

const garbage = fc.uint8Array({ maxLength: 300 });

/** A few edits of a good encoding: bytes replaced, cut out, put in, or cut off at the end. */
const mutated = (good: Uint8Array) =>
  fc
    .array(
      fc.record({
        where: fc.nat(good.length - 1),
        drop: fc.nat(3),
        put: fc.uint8Array({ maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((edits) => {
      const bytes = [...good];
      for (const { where, drop, put } of edits) bytes.splice(where, drop, ...put);
      return Uint8Array.from(bytes);
    });

/** Walks through whatever is there. */
function walk(reader: DerReader): void {
  while (!reader.done) {
    const constructed = (reader.tag & 0x20) !== 0;
    if (constructed) walk(reader.enter(reader.tag, "x"));
    else reader.any("x");
  }
}

describe("on garbage nothing but coded errors", () => {
  test("the DER reader", () => {
    fc.assert(
      fc.property(garbage, (bytes) => onlyCoded(() => walk(new DerReader(bytes)))),
      runs,
    );
  });

  test("certificates and names", () => {
    fc.assert(
      fc.property(garbage, (bytes) => {
        onlyCoded(() => parseCertificate(bytes));
        onlyCoded(() => formatName(readName(bytes)));
      }),
      runs,
    );
  });

  test.each(Object.entries(demoRoots))("mutations of the %s authority", (_name, { crt }) => {
    const good = readCertificate(crt).der;
    fc.assert(
      fc.property(mutated(good), (bytes) =>
        onlyCoded(() => {
          const certificate = parseCertificate(bytes);
          formatName(certificate.subject);
        }),
      ),
      runs,
    );
  });

  test("mutations of a private key", () => {
    const [block] = readPem(demoRoots.kubernetes.key);
    fc.assert(
      fc.property(mutated(block!.der), (bytes) =>
        onlyCoded(() => readPrivateKey(writePem(block!.label, bytes))),
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("mutations of a request", async () => {
    const key = await webCryptoKeys().issueKey("P-256");
    const subject = buildName({ commonName: "a" });
    const [block] = readPem(await issueCsr({ key, subject, dnsNames: ["a.example"] }));
    await fc.assert(
      fc.asyncProperty(mutated(block!.der), async (bytes) => {
        if (Buffer.compare(bytes, block!.der) === 0) return;
        const outcome = await readCsr(writePem(block!.label, bytes)).catch((e: unknown) => e);
        expect(outcome).toBeInstanceOf(CodedError); // every byte counts
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("PEM, addresses and host names", () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^-----BEGIN [A-Z ]*-----[\s\S]*-----END [A-Z ]*-----$/),
    );
    fc.assert(
      fc.property(text, (input) => {
        onlyCoded(() => readPem(input));
        onlyCoded(() => readPrivateKey(input));
        canonicalAddress(input);
        isDnsName(input);
      }),
      runs,
    );
  });
});
