/**
 * Every fingerprint that a certificate can be shown under. Whoever holds an ECDSA signature can write
 * it in a second way that is as good: (r, n − s) for (r, s), where n is the order of the curve.
 * Signatures of Ed25519 and RSA have no such twin.
 */
import { hash } from "node:crypto";
import type { Certificate } from "./certificate.ts";
import { DerReader, wholeSequence } from "./der/reader.ts";
import { tags } from "./der/tags.ts";
import { natural, octetBits, sequence } from "./der/writer.ts";

/** Orders of P-256, P-384 and P-521, FIPS 186-4 appendix D; the curve is the issuer's. */
const ORDERS = [
  0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
];

/** SHA-256 in lower hex: the certificate's own, then those of its twins under each curve. */
export function fingerprintsOf(certificate: Certificate): readonly string[] {
  const { der, fingerprint, signature, signatureAlgorithm } = certificate;
  if (!signatureAlgorithm.startsWith("ECDSA-")) return [fingerprint];
  const outer = wholeSequence(der, "certificate");
  const tbs = outer.element(tags.sequence, "tbsCertificate");
  const identifier = outer.element(tags.sequence, "signatureAlgorithm");
  const pair = new DerReader(signature).sequence("signature");
  const [r, s] = [pair.natural("r"), pair.natural("s")];
  const twins = ORDERS.filter((order) => s < order).map((order) => {
    const other = sequence(natural(r), natural(order - s));
    return hash("sha256", sequence(tbs, identifier, octetBits(other)), "hex");
  });
  return [fingerprint, ...twins];
}
