/** Judges what was issued by other libraries than ours: node:crypto and @peculiar/x509. */
import "reflect-metadata"; // before @peculiar/x509, which needs it
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Instant } from "#runtime";

/** What was issued, and for what. */
export interface Issue {
  readonly pem: string;
  readonly use: "serverAuth" | "clientAuth";
  /** The request in DER, whatever is in it. */
  readonly csr: Uint8Array;
  readonly authority: X509Certificate;
  readonly now: Instant;
  /** What an identity has to be called; a serving certificate has no organization. */
  readonly nodeId?: string;
}

const oids = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" };
const LIFETIME_MAX = 24 * 60 * 60 * 1000;
const SKEW_MAX = 60 * 60 * 1000;
const extensionsAllowed = new Set(["2.5.29.15", "2.5.29.37", "2.5.29.35", "2.5.29.17"]);
const hostName =
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const curves = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const RSA_BITS_MIN = 2048;

/** @returns what is wrong with it; empty when nothing is */
export function objectionsTo(issue: Issue): string[] {
  const certificate = new X509Certificate(issue.pem);
  const read = new x509.X509Certificate(issue.pem);
  return [
    ...objections(certificate, issue),
    ...usageObjections(read, issue),
    ...subjectObjections(certificate, issue),
    ...nameObjections(read, issue),
  ];
}

const unless = (good: boolean, objection: string) => (good ? [] : [objection]);

function objections(certificate: X509Certificate, { authority, now, csr }: Issue): string[] {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const { asymmetricKeyType: type = "", asymmetricKeyDetails: details = {} } =
    certificate.publicKey;
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  const isStrong =
    type === "ed25519" ||
    (type === "ec" && curves.has(details.namedCurve ?? "")) ||
    (type === "rsa" && (details.modulusLength ?? 0) >= RSA_BITS_MIN);
  return [
    ...unless(!certificate.ca, "is an authority"),
    ...unless(certificate.verify(authority.publicKey), "is not signed by the authority"),
    ...unless(certificate.checkIssued(authority), "has another issuer"),
    ...unless(from <= now && to > now, "is not valid now"),
    ...unless(to <= now + LIFETIME_MAX, "lives too long"),
    ...unless(from >= now - SKEW_MAX, "begins too early"),
    ...unless(isStrong, `has a weak key of type ${type}`),
    ...unless(includes(csr, spki), "has another key than the request"),
  ];
}

function usageObjections(read: x509.X509Certificate, { use }: Issue): string[] {
  const foreign = read.extensions.filter(({ type }) => !extensionsAllowed.has(type));
  const usages = read.getExtension(x509.KeyUsagesExtension);
  const extended = read.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  return [
    ...foreign.map(({ type }) => `has the extension ${type}`),
    ...unless(usages?.usages === x509.KeyUsageFlags.digitalSignature, "has other key usages"),
    ...unless(extended.join() === oids[use], `is for ${extended.join()}`),
  ];
}

function subjectObjections(certificate: X509Certificate, { nodeId }: Issue): string[] {
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, unknown>;
  if (nodeId === undefined) return unless(subject.O === undefined, `has O=${String(subject.O)}`);
  const expected = { O: "trustplane:node", CN: nodeId };
  const is = JSON.stringify({ O: subject.O, CN: subject.CN });
  return unless(is === JSON.stringify(expected), `is called ${is}`);
}

function nameObjections(read: x509.X509Certificate, { csr, use }: Issue): string[] {
  const names = read.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.flatMap(({ type, value }) => {
    if (use === "clientAuth" || (type !== "dns" && type !== "ip")) return [`has a ${type} name`];
    return [
      ...unless(type === "ip" || hostName.test(value), `has the name ${JSON.stringify(value)}`),
      ...unless(
        encodingsOf(type, value).some((der) => includes(csr, der)),
        `was not asked: ${value}`,
      ),
    ];
  });
}

/** How a name may stand in a request. */
function encodingsOf(type: "dns" | "ip", value: string): Buffer[] {
  const octets =
    type === "dns"
      ? Buffer.from(value)
      : Buffer.from(new x509.GeneralName("ip", value).rawData).subarray(2);
  const tag = type === "dns" ? 0x82 : 0x87;
  const mapped = Buffer.concat([Buffer.from("00000000000000000000ffff", "hex"), octets]);
  const all = type === "ip" && octets.length === 4 ? [octets, mapped] : [octets];
  return all.map((content) => Buffer.concat([Buffer.from([tag]), lengthOf(content), content]));
}

const lengthOf = ({ length }: Buffer) => Buffer.from(length < 0x80 ? [length] : [0x81, length]);

const includes = (whole: Uint8Array, part: Buffer) =>
  Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).includes(part);
