/** Requests for certificates as nobody should send them, made by openssl or by hand. */
import { buildName, issueCsr, type Name, type PrivateKey, readPem, writePem } from "#pki";
import {
  element,
  natural,
  octetBits,
  octetString,
  oid,
  sequence,
  setOf,
  string,
} from "../../../src/pki/der/writer.ts";
import { openssl } from "../../pki/openssl.ts";
import { key, keys } from "./cluster.ts";

const LABEL = "CERTIFICATE REQUEST";
const good = await issueCsr({ key, subject: buildName({ commonName: "a" }), dnsNames: ["a"] });
const { der } = readPem(good)[0]!;
const pem = (bytes: Uint8Array) => Buffer.from(writePem(LABEL, bytes));

/** One whose DER is spoilt. */
export const spoilt = {
  nothing: Buffer.alloc(0),
  garbage: Buffer.from(Uint8Array.from({ length: 500 }, (_, i) => (i * 7919) & 0xff)),
  withoutEnd: Buffer.from(good.slice(0, good.indexOf("-----END"))),
  noDer: pem(Buffer.from("what a pity")),
  cutOff: pem(der.slice(0, -20)),
  empty: pem(new Uint8Array()),
  withMore: pem(Buffer.concat([der, Buffer.from([5, 0])])),
  nested: pem(Array.from({ length: 100 }).reduce<Uint8Array>((inner) => sequence(inner), der)),
  oversize: Buffer.from(" ".repeat(33_000) + good),
  certificateLabel: Buffer.from(good.replaceAll(LABEL, "CERTIFICATE")),
};

/** One that another key signed. */
export async function forged(): Promise<Buffer> {
  const other = (await keys.issueKey("P-256")).publicKey.spki;
  const bytes = Buffer.from(der);
  Buffer.from(other).copy(bytes, bytes.indexOf(Buffer.from(key.publicKey.spki)));
  return pem(bytes);
}

/** With a key that openssl makes. */
export const keyedBy = (...algorithm: readonly string[]): Buffer =>
  Buffer.from(
    openssl([
      ...["req", "-new", "-nodes", "-keyout", "k.pem", ...algorithm],
      ...["-subj", "/CN=a", "-addext", "subjectAltName=DNS:a"],
    ]),
  );

/** With everything that a leaf must not have. */
export async function greedy(): Promise<Buffer> {
  const config = `
    [req]
    distinguished_name = dn
    req_extensions = ext
    prompt = no
    [dn]
    0.O = os:admin
    1.O = trustplane:node
    CN = a
    emailAddress = a@b.example
    [ext]
    basicConstraints = critical,CA:TRUE
    keyUsage = critical,keyCertSign,cRLSign
    extendedKeyUsage = clientAuth,anyExtendedKeyUsage
    nameConstraints = permitted;DNS:a
    subjectKeyIdentifier = hash
    1.2.3.4 = critical,ASN1:UTF8String:foreign
    subjectAltName = DNS:a,IP:10.9.9.9,email:a@b.example,URI:spiffe://a/b,RID:1.2.3,dirName:dn
  `;
  const files = { "c.cnf": config, "k.pem": await key.pem() };
  return Buffer.from(openssl(["req", "-new", "-config", "c.cnf", "-key", "k.pem"], files));
}

export const dns = (name: string): Uint8Array => string(0x82, name);
export const ip = (...octets: readonly number[]): Uint8Array =>
  element(0x87, Uint8Array.from(octets));

/** With names in whatever encoding, in one list of extensions each. */
export async function named(
  lists: readonly (readonly Uint8Array[])[],
  o: { readonly subject?: Name; readonly signedBy?: PrivateKey } = {},
): Promise<Buffer> {
  const { subject = buildName({}), signedBy = key } = o;
  const attributes = lists.map((names) => {
    const list = sequence(sequence(oid("2.5.29.17"), octetString(sequence(...names))));
    return sequence(oid("1.2.840.113549.1.9.14"), setOf([list]));
  });
  const { spki } = signedBy.publicKey;
  const info = sequence(natural(0n), subject.der, spki, element(0xa0, ...attributes));
  const signature = octetBits(await signedBy.sign(info));
  return pem(sequence(info, sequence(oid("1.2.840.10045.4.3.2")), signature));
}

/** For a node that is called n, and these names. */
export const asN = (...names: readonly Uint8Array[]): Promise<Buffer> =>
  named([[dns("n"), ...names]], { subject: buildName({ commonName: "n" }) });

/** As many names, n among them. */
export const many = (count: number): Promise<Buffer> =>
  asN(...Array.from({ length: count - 1 }, (_, i) => dns(`a${i.toString(36)}`)));
