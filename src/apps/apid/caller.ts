/** Who is at the other end of a connection (talos-pki.md §8.1). */
import { rfc3339, type Instant } from "#runtime";
import { parseCertificate, verifyChain, type Certificate, type ChainVerdict } from "#pki";
import { createHash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { rolesIn } from "./roles.ts";

/** A client whose certificate was found good. */
export interface Caller {
  readonly certificate: Certificate;
  /** What it sent besides; nothing in these is believed unproven. */
  readonly intermediates: readonly Certificate[];
  readonly roles: ReadonlySet<string>;
}

/** A client and the verified path to the authority that it is accepted by, leaf first. */
export interface Admitted {
  readonly caller: Caller;
  readonly path: readonly Certificate[];
}

/** Why a client is turned away; `fingerprint` is empty when it had no certificate. */
export interface Rejection {
  readonly reason: string;
  readonly fingerprint: string;
  readonly subject: string;
}

/** What OpenSSL finds, in the words of those who read logs. */
const reasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "certificate has expired",
  CERT_NOT_YET_VALID: "certificate is not yet valid",
  CERT_SIGNATURE_FAILURE: "certificate signed by unknown authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate signed by unknown authority",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate signed by unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate signed by unknown authority",
  INVALID_PURPOSE: "certificate is missing the client auth extended key usage",
};

/** Decides on a client when its handshake is done and before anything it says is read. */
export async function examine(
  socket: TLSSocket,
  authorities: readonly Certificate[],
  now: Instant,
): Promise<Admitted | Rejection> {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return { reason: "no client certificate", fingerprint: "", subject: "" };
  const rejected = (reason: string): Rejection => ({
    reason,
    fingerprint: createHash("sha256").update(leaf.raw).digest("hex"),
    subject: leaf.subject.replaceAll("\n", ", "),
  });
  // Node declares an Error and sets the code of one.
  const problem = socket.authorizationError as unknown as string | null;
  if (!socket.authorized) return rejected(reasons[problem ?? ""] ?? problem ?? "not verified");
  try {
    const certificate = parseCertificate(leaf.raw);
    const reason = objection(certificate, now);
    if (reason !== undefined) return rejected(reason);
    const intermediates = intermediatesOf(leaf);
    const caller = { certificate, intermediates, roles: rolesIn(certificate) };
    const verdict = await verdictOn(caller, authorities, now);
    return verdict.valid ? { caller, path: verdict.chain } : rejected(verdict.reason);
  } catch (error) {
    return rejected(`certificate cannot be read: ${String(error)}`);
  }
}

/**
 * Looks for the path from a client to one of these authorities. OpenSSL says only that there is one,
 * and only at the handshake.
 */
export const verdictOn = (
  { certificate, intermediates }: Caller,
  authorities: readonly Certificate[],
  now: Instant,
): Promise<ChainVerdict> =>
  verifyChain({ leaf: certificate, intermediates, anchors: authorities, now, usage: "clientAuth" });

/** These rules are Talos', and the dates are held against our clock. */
function objection(certificate: Certificate, now: Instant): string | undefined {
  const { notBefore, notAfter, extKeyUsages } = certificate;
  if (now > notAfter) return `certificate has expired: it ended at ${rfc3339(notAfter)}`;
  if (now < notBefore) return `certificate is not yet valid: it begins at ${rfc3339(notBefore)}`;
  if (!extKeyUsages.includes("clientAuth"))
    return "certificate is missing the client auth extended key usage";
  if (extKeyUsages.length > 1)
    return `certificate has more than the client auth extended key usage: ${extKeyUsages.join(", ")}`;
  return undefined;
}

/** The chain is as the client sent it: what is in it need not belong together. */
function intermediatesOf(leaf: X509Certificate): Certificate[] {
  const sent: Certificate[] = [];
  const seen = new Set([leaf.fingerprint256]);
  for (
    let at = leaf.issuerCertificate;
    at !== undefined && !seen.has(at.fingerprint256);
    at = at.issuerCertificate
  ) {
    seen.add(at.fingerprint256);
    const certificate = readable(at.raw);
    if (certificate !== undefined) sent.push(certificate);
  }
  return sent;
}

function readable(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch {
    return undefined; // it proves nothing, then
  }
}
