/** What a verification ends with: a chain, or one fault with a stable code and a sentence. */
import { rfc3339 } from "#runtime";
import { serialHex, type Certificate } from "../certificate.ts";
import { formatName } from "../name.ts";

/** Why a chain is refused; these are API, the sentences are not. */
export type ChainCode =
  /** The end of a validity has passed. */
  | "ERR_CHAIN_EXPIRED"
  /** The start of a validity has not come. */
  | "ERR_CHAIN_NOT_YET_VALID"
  /** Nothing that is accepted has signed the certificate, or what leads to it is missing. */
  | "ERR_CHAIN_UNKNOWN_AUTHORITY"
  /** What signed a certificate is not an authority: basicConstraints or its version says so. */
  | "ERR_CHAIN_NOT_AUTHORITY"
  /** keyUsage forbids what the key was used for. */
  | "ERR_CHAIN_KEY_USAGE"
  /** extKeyUsage of the leaf, or of an authority above it, does not allow the purpose. */
  | "ERR_CHAIN_EXT_KEY_USAGE"
  /** More authorities below one than its pathLenConstraint allows. */
  | "ERR_CHAIN_PATH_LENGTH"
  /** More intermediates than the caller allows. */
  | "ERR_CHAIN_DEPTH"
  /** The certificate is not for the host that is asked for. */
  | "ERR_CHAIN_NAME_MISMATCH"
  /** A name lies outside of what an authority above it may certify. */
  | "ERR_CHAIN_NAME_CONSTRAINTS"
  /** A critical extension is not understood. */
  | "ERR_CHAIN_CRITICAL_EXTENSION"
  /** A key is too short to be trusted. */
  | "ERR_CHAIN_WEAK_KEY"
  /** The search was given up because it would cost too much. */
  | "ERR_CHAIN_TOO_COMPLEX"
  /** An obligation of issuers in RFC 5280 §4 is not met; only where `strict` is asked for. */
  | "ERR_CHAIN_PROFILE";

/** One reason why a chain is refused; the sentence names the certificate by its subject. */
export interface ChainFault {
  readonly code: ChainCode;
  readonly reason: string;
}

/** The verdict on a certificate. The chain has the leaf first and the anchor last. */
export type ChainVerdict =
  | { readonly valid: true; readonly chain: Certificate[] }
  | ({ readonly valid: false } & ChainFault);

const SUBJECT_MAX = 200;

/** A certificate in a sentence: subject and serial number, which tells same-named ones apart. */
export function describe({ subject, serialNumber }: Certificate): string {
  const whole = formatName(subject);
  const name = whole.length > SUBJECT_MAX ? `${whole.slice(0, SUBJECT_MAX)}…` : whole;
  const serial = `serial ${serialHex(serialNumber)}`;
  return name === ""
    ? `the certificate without a subject (${serial})`
    : `the certificate "${name}" (${serial})`;
}

/** A validity in a sentence. */
export const validity = ({ notBefore, notAfter }: Certificate): string =>
  `valid from ${rfc3339(notBefore)} to ${rfc3339(notAfter)}`;
