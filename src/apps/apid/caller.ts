/** Who is at the other end of a connection (talos-pki.md §8.1). */
import { parseCertificate, type Certificate } from "#pki";
import { rfc3339, type Instant } from "#runtime";
import { createHash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { rolesIn } from "./roles.ts";

/** A client whose certificate was found good. */
export interface Caller {
  readonly certificate: Certificate;
  /** What it sent, leaf first. */
  readonly chain: readonly X509Certificate[];
  readonly roles: ReadonlySet<string>;
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
export function examine(socket: TLSSocket, now: Instant): Caller | Rejection {
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
    return reason === undefined
      ? { certificate, chain: chainOf(leaf), roles: rolesIn(certificate) }
      : rejected(reason);
  } catch (error) {
    return rejected(`certificate cannot be read: ${String(error)}`);
  }
}

/** OpenSSL verified the chain; these rules are Talos', and the dates are held against our clock. */
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

function chainOf(leaf: X509Certificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (
    let at: X509Certificate | undefined = leaf;
    at !== undefined && !chain.some(({ raw }) => at?.raw.equals(raw));
    at = at.issuerCertificate
  )
    chain.push(at);
  return chain;
}

/** Tells whether one of these authorities issued the caller, or an intermediate that it sent. */
export const isAccepted = ({ chain }: Caller, authorities: readonly X509Certificate[]): boolean =>
  chain.some((sent) =>
    authorities.some(
      (authority) => sent.checkIssued(authority) && sent.verify(authority.publicKey),
    ),
  );
