/** Failures of the PKI library: one class each, with a stable code, and never a secret in a message. */
import { CodedError } from "#runtime";
import type { Refusal } from "./policy/policy.ts";

/** Bytes are not DER, or not the structure that they should be. */
export class DerError extends CodedError {
  readonly code = "ERR_DER";
}

/** A text is not PEM, RFC 7468, or a block of it is damaged. */
export class PemError extends CodedError {
  readonly code = "ERR_PEM";
}

/** A PEM block is of another kind than is wanted. */
export class PemLabelError extends CodedError {
  readonly code = "ERR_PEM_LABEL";
  readonly found: string;
  readonly wanted: readonly string[];
  constructor(found: string, wanted: readonly string[], source?: string) {
    const place = source === undefined ? "" : `${source}: `;
    super(
      `${place}found a PEM block ${quote(found)} where ${wanted.map(quote).join(" or ")} belongs`,
    );
    this.found = found;
    this.wanted = wanted;
  }
}

const quote = (label: string) => JSON.stringify(label);

/** Bytes are not a certificate that RFC 5280 allows and that we can read. */
export class CertificateParseError extends CodedError {
  readonly code = "ERR_CERTIFICATE_PARSE";
}

/** A key or signature is of an algorithm that is not in our tables. */
export class AlgorithmUnsupportedError extends CodedError {
  readonly code = "ERR_ALGORITHM_UNSUPPORTED";
}

/** The key that is to sign is of another type than the signature algorithm needs. */
export class AlgorithmMismatchError extends CodedError {
  readonly code = "ERR_ALGORITHM_MISMATCH";
}

/** A private key cannot be read. */
export class KeyParseError extends CodedError {
  readonly code = "ERR_KEY_PARSE";
}

/** A private key is encrypted, which is not supported: decrypt it first. */
export class KeyEncryptedError extends CodedError {
  readonly code = "ERR_KEY_ENCRYPTED";
}

/** A private key does not belong to the certificate that it came with. */
export class KeyMismatchError extends CodedError {
  readonly code = "ERR_KEY_MISMATCH";
}

/** A name to certify is neither a DNS name nor an IP address. */
export class AltNameInvalidError extends CodedError {
  readonly code = "ERR_ALT_NAME_INVALID";
}

/** The issuing certificate has ended: what it signs now would be valid nowhere. */
export class AuthorityExpiredError extends CodedError {
  readonly code = "ERR_AUTHORITY_EXPIRED";
}

/** A certificate that is to issue is not one of an authority. */
export class NotAuthorityError extends CodedError {
  readonly code = "ERR_NOT_AUTHORITY";
}

/** A finished certificate is not what its profile says, and does not leave the house. */
export class CertificateRefusedError extends CodedError {
  readonly code: "ERR_CERTIFICATE_REFUSED" | "ERR_POLICY_REFUSED" | "ERR_POLICY_UNREADABLE" =
    "ERR_CERTIFICATE_REFUSED";
}

/** A finished certificate is what was asked for, and nothing that the policy in force allows. */
export class PolicyRefusedError extends CertificateRefusedError {
  override readonly code = "ERR_POLICY_REFUSED";
  readonly refusals: readonly Refusal[];
  constructor(message: string, refusals: readonly Refusal[]) {
    super(message);
    this.refusals = refusals;
  }
}

/** Nobody knows what the policy allows, so nodes and clients get nothing. */
export class PolicyUnreadableError extends CertificateRefusedError {
  override readonly code = "ERR_POLICY_UNREADABLE";
  constructor(problem: string) {
    super(
      `nothing is issued to nodes and clients while the stored policy cannot be read (${problem}): apply a ` +
        "policy",
    );
  }
}

/** A text is no policy; `path` says which part of it. */
export class PolicyInvalidError extends CodedError {
  readonly code = "ERR_POLICY_INVALID";
  readonly path: string;
  constructor(path: string, problem: string) {
    super(`${path === "" ? "the policy" : path}: ${problem}`);
    this.path = path;
  }
}

/** A certificate request is damaged, or is not signed by the key that it names. */
export class CsrRejectedError extends CodedError {
  readonly code = "ERR_CSR_REJECTED";
}

/** The key that a certificate request names did not sign it. */
export class CsrSignatureError extends CsrRejectedError {}
