/** Why trustd refuses, and the place of that among the gRPC statuses; messages of Talos are to the letter. */
import { CodedError } from "#runtime";
import { runtimeStatuses, type StatusTable } from "#runtime/rpc";
import { status } from "@grpc/grpc-js";
import type { Objection } from "./admission/objection.ts";
import { memberStatuses } from "./members/errors.ts";

/** There was no token. */
export class TokenMissingError extends CodedError {
  readonly code = "ERR_TOKEN_MISSING";
  constructor() {
    super("missing token");
  }
}

/** The token is none that is known here. */
export class TokenInvalidError extends CodedError {
  readonly code = "ERR_TOKEN_INVALID";
  constructor() {
    super("invalid token");
  }
}

/** It cannot be told who asks. */
export class PeerUnknownError extends CodedError {
  readonly code = "ERR_PEER_UNKNOWN";
  constructor() {
    super("peer not found");
  }
}

/** A certificate request is no PEM. */
export class CsrUndecodableError extends CodedError {
  readonly code = "ERR_CSR_UNDECODABLE";
  constructor() {
    super("failed to decode CSR");
  }
}

/** A certificate request is damaged. */
export class CsrUnparsableError extends CodedError {
  readonly code = "ERR_CSR_UNPARSABLE";
  constructor(problem: string, options?: ErrorOptions) {
    super(`failed to parse CSR: ${problem}`, options);
  }
}

/** What is asked for cannot be signed. */
export class CsrUnsignableError extends CodedError {
  readonly code = "ERR_CSR_UNSIGNABLE";
  constructor(problem: string, options?: ErrorOptions) {
    super(`failed to sign CSR: ${problem}`, options);
  }
}

/** There is no signing anything at the moment, whatever is asked for. */
export class SigningFailedError extends CodedError {
  readonly code = "ERR_SIGNING_FAILED";
  constructor(problem: string, options?: ErrorOptions) {
    super(`failed to sign CSR: ${problem}`, options);
  }
}

/** A request does not have the form that it should. */
export class SigningRequestError extends CodedError {
  readonly code = "ERR_SIGNING_REQUEST";
  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`);
  }
}

/** Who asks may not have what is asked for. */
export class AdmissionRefusedError extends CodedError {
  readonly code = "ERR_ADMISSION_REFUSED";
  readonly rule: string;
  readonly field: string;
  constructor({ rule, field, problem }: Objection) {
    super(`refused by the rule ${JSON.stringify(rule)}: ${field}: ${problem}`);
    this.rule = rule;
    this.field = field;
  }
}

/** So much was refused before that it is not even looked at. */
export class RefusalsExhaustedError extends CodedError {
  readonly code = "ERR_REFUSALS_EXHAUSTED";
  constructor(whose: string) {
    super(`too many requests of this ${whose} were refused: try again in a while`);
  }
}

/** There is no key to sign with here. */
export class AuthorityMissingError extends CodedError {
  readonly code = "ERR_AUTHORITY_MISSING";
  constructor() {
    super(
      "there is no Talos API authority to sign with: the configuration has no machine.ca with its key",
    );
  }
}

/** Statuses of trustd's own errors, then those of the runtime. */
export const trustdStatuses: readonly StatusTable[] = [
  {
    ERR_TOKEN_MISSING: { status: status.UNAUTHENTICATED },
    ERR_TOKEN_INVALID: { status: status.UNAUTHENTICATED },
    ERR_PEER_UNKNOWN: { status: status.PERMISSION_DENIED },
    ERR_CSR_UNDECODABLE: { status: status.INVALID_ARGUMENT },
    ERR_CSR_UNPARSABLE: { status: status.INVALID_ARGUMENT },
    ERR_CSR_UNSIGNABLE: { status: status.INTERNAL },
    ERR_SIGNING_FAILED: { status: status.INTERNAL },
    ERR_SIGNING_REQUEST: { status: status.INVALID_ARGUMENT },
    ERR_ADMISSION_REFUSED: { status: status.PERMISSION_DENIED },
    ERR_REFUSALS_EXHAUSTED: { status: status.RESOURCE_EXHAUSTED },
    ERR_NO_CLUSTER_STORE: { status: status.FAILED_PRECONDITION },
    ERR_CERTIFICATE_REFUSED: { status: status.PERMISSION_DENIED },
    ERR_POLICY_REFUSED: { status: status.PERMISSION_DENIED },
    // Not of one without a cluster store: it is asked again until the policy is mended.
    ERR_POLICY_UNREADABLE: { status: status.UNAVAILABLE },
    ERR_AUTHORITY_MISSING: { status: status.FAILED_PRECONDITION },
  },
  memberStatuses,
  runtimeStatuses,
];
