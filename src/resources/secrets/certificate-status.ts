import { defineResource } from "#runtime";
import { z } from "zod";

/** What can be said of a certificate at one look. */
export const certificateStates = [
  "Valid",
  "RenewalDue",
  "Expired",
  "NotYetValid",
  "Missing",
  "KeyMismatch",
  "Untrusted",
] as const;

/** Labels on each status: the root that it stands under, and its role, `authority`, `accepted` or `leaf`. */
export const ROOT_LABEL = "trustplane.dev/root";
export const ROLE_LABEL = "trustplane.dev/role";

/**
 * One item per certificate that this node holds or should hold (talos-pki.md §1.5): what it is, how it
 * is, why, and what happens next. Derived, public facts only; times are RFC 3339 or empty.
 */
export const CertificateStatus = defineResource({
  type: "CertificateStatuses.secrets.talos.dev",
  namespace: "secrets",
  aliases: ["certstatus", "cs"],
  printColumns: [
    { name: "Subject", jsonPath: "{.subject}" },
    { name: "Not After", jsonPath: "{.notAfter}" },
    { name: "Renew At", jsonPath: "{.renewAt}" },
    { name: "State", jsonPath: "{.state}" },
  ],
  spec: z.object({
    state: z.enum(certificateStates),
    /** The reason of the state, and what to do about it; empty when all is well. */
    why: z.string(),
    subject: z.string(),
    issuer: z.string(),
    serialNumber: z.string(),
    notBefore: z.string(),
    notAfter: z.string(),
    /** When it is replaced; empty for roots and for leaves that end with their root. */
    renewAt: z.string(),
    /** When issuing is tried next after a failure; empty without one. */
    nextAttempt: z.string(),
    /** The last failure to issue it: code and message; empty without one. */
    lastError: z.string(),
    /** `ok`, or why no chain leads to an accepted authority. */
    chain: z.string(),
    keyAlgorithm: z.string(),
    signatureAlgorithm: z.string(),
    keyUsages: z.array(z.string()),
    extKeyUsages: z.array(z.string()),
    dnsNames: z.array(z.string()),
    ipAddresses: z.array(z.string()),
    spkiFingerprint: z.string(),
    /** The resource that holds it. */
    source: z.string(),
    /** How far the clock of who signed it is ahead of this one, as `-1.5s`; empty where that is not known. */
    peerSkew: z.string().default(""),
  }),
});
