/** Why a node could not be asked, in words that say what to do. */
import { CodedError, rfc3339, instantOf } from "#runtime";
import { status } from "@grpc/grpc-js";
import type { X509Certificate } from "node:crypto";

/** The text is not an endpoint. */
export class EndpointInvalidError extends CodedError {
  readonly code = "ERR_ENDPOINT_INVALID";
  readonly hint = "endpoints look like 10.5.0.2, [fd00::1]:50000 or https://node.example:443";
  constructor(text: string) {
    super(`${JSON.stringify(text)} is not an endpoint`);
  }
}

/** What can be wrong with a certificate of a connection. */
export type CertificateProblem =
  | "ERR_CLIENT_CERTIFICATE_EXPIRED"
  | "ERR_CLIENT_CERTIFICATE_NOT_YET_VALID"
  | "ERR_CLIENT_CERTIFICATE_USAGE"
  | "ERR_CLIENT_CERTIFICATE_KEY"
  | "ERR_CLIENT_CERTIFICATE_REJECTED"
  | "ERR_SERVER_CERTIFICATE_EXPIRED"
  | "ERR_SERVER_CERTIFICATE_NOT_YET_VALID"
  | "ERR_SERVER_CERTIFICATE_NAME"
  | "ERR_SERVER_CERTIFICATE_AUTHORITY"
  | "ERR_SERVER_CERTIFICATE_INVALID";

/** A certificate stands in the way of a connection: which, whose, and what mends it. */
export class CertificateProblemError extends CodedError {
  readonly code: CertificateProblem;
  /** SHA-256, lower hex. */
  readonly fingerprint: string;
  readonly hint: string;
  constructor(
    code: CertificateProblem,
    o: {
      readonly sentence: string;
      /** Whose certificate it is: `the client certificate of context "a" in FILE`. */
      readonly whose: string;
      readonly certificate: X509Certificate;
      readonly hint: string;
    },
  ) {
    super(`${o.sentence}: ${o.whose} (${describe(o.certificate)})`);
    this.code = code;
    this.fingerprint = fingerprintOf(o.certificate);
    this.hint = o.hint;
  }
}

const fingerprintOf = ({ fingerprint256 }: X509Certificate): string =>
  fingerprint256.replaceAll(":", "").toLowerCase();

function describe(certificate: X509Certificate): string {
  const { subject, validFromDate, validToDate } = certificate;
  const [from, to] = [validFromDate, validToDate].map((date) => rfc3339(instantOf(date.getTime())));
  return (
    `subject ${subject.replaceAll("\n", ", ") || "empty"}, valid from ${from ?? ""} to ${to ?? ""}, ` +
    `SHA-256 fingerprint ${fingerprintOf(certificate)}`
  );
}

/** Nothing answers at the endpoint, or not with TLS. */
export class UnreachableError extends CodedError {
  readonly code = "ERR_UNREACHABLE";
  readonly hint = "is the node running there (trustplane up)? --endpoints names another place";
}

/** The node wants to know who asks, so it is configured. */
export class NotInMaintenanceError extends CodedError {
  readonly code = "ERR_NOT_IN_MAINTENANCE";
  constructor(place: string) {
    super(
      `the node at ${place} hung up: it is not in maintenance; leave out --insecure and use its talosconfig`,
    );
  }
}

/** Somebody else answers at the endpoint than the one whose fingerprint was given. */
export class FingerprintMismatchError extends CodedError {
  readonly code = "ERR_FINGERPRINT_MISMATCH";
  readonly hint =
    "compare with what the node printed when it came up: another machine may answer there";
  constructor(place: string, found: string) {
    super(`the certificate at ${place} has another fingerprint: ${found}`);
  }
}

/** How a call ended. */
export interface FailedCall {
  readonly code: status;
  readonly details: string;
}

/** The node answered with a status other than OK. */
export class CallFailedError extends CodedError {
  readonly code = "ERR_CALL_FAILED";
  /** A number of `google.rpc.Code`. */
  readonly status: status;
  constructor(failed: FailedCall, options?: ErrorOptions) {
    super(`rpc error: code = ${nameOf(failed.code)} desc = ${failed.details}`, options);
    this.status = failed.code;
  }
}

/** `PermissionDenied`, as Go prints it. */
const nameOf = (code: status): string =>
  (status[code] as string | undefined)
    ?.toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()) ?? String(code);
