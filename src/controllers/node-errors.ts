/** Why a node that joins by token has no certificate, or not the one that it is to have. */
import { CodedError } from "#runtime";
import type { AskReason } from "./node-renewal.ts";

/** Nobody is known who could sign. */
export class ControlPlaneUnknownError extends CodedError {
  readonly code = "ERR_CONTROL_PLANE_UNKNOWN";
  constructor() {
    super(
      "no control plane is known to ask for a certificate: is cluster.controlPlane.endpoint right, " +
        "and can its name be resolved?",
    );
  }
}

/** Whoever answers could not be verified. */
export class AuthorityUnknownError extends CodedError {
  readonly code = "ERR_AUTHORITY_UNKNOWN";
  constructor() {
    super(
      "the configuration has no machine.ca.crt, and trustd is not asked unverified: put the " +
        "certificate of the cluster's authority there",
    );
  }
}

/** What was issued does not do, for a reason that asking once more does not change. */
export class AnswerUnfitError extends CodedError {
  readonly code = "ERR_ANSWER_UNFIT";
  constructor(reason: AskReason) {
    super(
      `the certificate that was just issued does not do: ${reason}; is this machine's clock right?`,
    );
  }
}

/** The node may not have what it asks for, whoever is asked and how often. */
export class JoinRefusedError extends CodedError {
  readonly code = "ERR_JOIN_REFUSED";
}

/** The names that this node is to have are not given to it. */
export class NamesRefusedError extends CodedError {
  readonly code = "ERR_NAMES_REFUSED";
  constructor(cause: Error) {
    super(
      `new names refused: ${cause.message}; until then what is held is renewed under the names that it has`,
      { cause },
    );
  }
}

/** There is no request that says what is wanted. */
export class RequestUnfitError extends CodedError {
  readonly code = "ERR_REQUEST_UNFIT";
  constructor(problem: string, options?: ErrorOptions) {
    super(
      `no request can be made for the names of this node: ${problem}; are there too many of them, or ` +
        "is one no name of a host?",
      options,
    );
  }
}
