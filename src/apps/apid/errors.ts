/** Failures of apid, and their place among the gRPC statuses. */
import { CodedError } from "#runtime";
import type { StatusTable } from "#runtime/rpc";
import { status } from "@grpc/grpc-js";
import { trustdStatuses } from "../trustd/errors.ts";
import { forwardingStatuses } from "./forwarding/errors.ts";

/** Key, certificate and authorities of a listener do not fit together; nothing was changed. */
export class ListenerMaterialError extends CodedError {
  readonly code = "ERR_LISTENER_MATERIAL";
}

/** A listener cannot have its address. */
export class ListenError extends CodedError {
  readonly code: "ERR_PORT_IN_USE" | "ERR_ADDRESS_UNAVAILABLE" | "ERR_LISTEN";
  constructor(code: ListenError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The request is for another node, and this one has no certificate to ask it with. */
export class ForwardingError extends CodedError {
  readonly code = "ERR_NO_FORWARDING";
  constructor() {
    super("no request forwarding");
  }
}

/** A configuration is being applied, or looked at by a dry run, at this moment. */
export class ApplyInProgressError extends CodedError {
  readonly code = "ERR_APPLY_IN_PROGRESS";
  constructor(doing = "applied") {
    super(`another configuration is being ${doing}; try again when it is done`);
  }
}

/** The request is not for this type of machine. */
export class ControlPlaneOnlyError extends CodedError {
  readonly code = "ERR_CONTROL_PLANE_ONLY";
  constructor(method: string) {
    super(`${method} is only available on control plane nodes`);
  }
}

/** There is no such file in the tree that the node shows. */
export class NoSuchFileError extends CodedError {
  readonly code = "ERR_NO_SUCH_FILE";
  constructor(path: string) {
    super(`${JSON.stringify(path)}: no such file or directory`);
  }
}

/** The file holds a private key, and is not handed out. */
export class SecretFileError extends CodedError {
  readonly code = "ERR_SECRET_FILE";
  constructor(path: string) {
    super(`${JSON.stringify(path)} holds a private key and is not read over the API`);
  }
}

/** The cluster has no Kubernetes authority that could issue anything. */
export class KubernetesAuthorityMissingError extends CodedError {
  readonly code = "ERR_KUBERNETES_AUTHORITY_MISSING";
  constructor() {
    super(
      "there is no Kubernetes authority to issue a kubeconfig with: the configuration has no cluster.ca with its key",
    );
  }
}

/** The time for a health check is up, and not all is well. */
export class UnhealthyError extends CodedError {
  readonly code = "ERR_UNHEALTHY";
}

/** No log has that id. */
export class UnknownLogError extends CodedError {
  readonly code = "ERR_LOG_UNKNOWN";
}

/** A reader of events was so slow that some are gone. */
export class EventsOverrunError extends CodedError {
  readonly code = "ERR_EVENTS_OVERRUN";
  constructor(lost: number) {
    super(`${lost} events came faster than they were read, and are gone`);
  }
}

/** No service has that id. */
export class UnknownServiceError extends CodedError {
  readonly code = "ERR_SERVICE_UNKNOWN";
  constructor(id: string, ids: readonly string[]) {
    super(`service ${JSON.stringify(id)} is not defined: there is ${ids.join(", ")}`);
  }
}

/** That cannot be done with the service. */
export class ServiceRefusedError extends CodedError {
  readonly code = "ERR_SERVICE_REFUSED";
}

/** The node is on its way down. */
export class EndingInProgressError extends CodedError {
  readonly code = "ERR_ENDING_IN_PROGRESS";
  constructor(ending: string) {
    super(`a ${ending} of this node is under way`);
  }
}

/** A node cannot be reset in that way. */
export class ResetRefusedError extends CodedError {
  readonly code = "ERR_RESET_REFUSED";
}

/** The cluster cannot be told that the node leaves it; nothing was done. */
export class LeaveFailedError extends CodedError {
  readonly code = "ERR_LEAVE_FAILED";
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `the cluster could not be told that this node leaves it, so nothing was wiped: ${reason}; ` +
        "a reset that is not graceful tells nobody, and the node stays on record until it is removed",
      { cause },
    );
  }
}

/** Nobody else could issue what the cluster needs; nothing was done. */
export class LastControlPlaneError extends CodedError {
  readonly code = "ERR_LAST_CONTROL_PLANE";
  constructor() {
    super(
      "no other control plane is known here: with this node go the authorities of its cluster, its " +
        "record of members and its tokens; what is not kept elsewhere is lost, so only a reset that is " +
        "not graceful does that",
    );
  }
}

/** There is no certificate of that id here. */
export class CertificateUnknownError extends CodedError {
  readonly code = "ERR_CERTIFICATE_UNKNOWN";
  constructor(unknown: readonly string[], known: readonly string[]) {
    const leaves =
      known.length > 0 ? `the leaves here are ${known.join(", ")}` : "it holds no leaf";
    super(
      `this node has no certificate ${unknown.map((id) => JSON.stringify(id)).join(", ")}: ${leaves}`,
    );
  }
}

/** An authority cannot be issued anew in its place: what it issued would be worth nothing. */
export class NoLeafError extends CodedError {
  readonly code = "ERR_NO_LEAF";
  constructor(ids: readonly string[]) {
    super(
      `${ids.join(", ")} is an authority, which is not renewed but rotated: accept a new one beside it, ` +
        "then replace it in the configuration",
    );
  }
}

/** New leaves are not there in time; they are still asked for. */
export class RenewalUnmetError extends CodedError {
  readonly code = "ERR_RENEWAL_UNMET";
}

/** The certificate is not among those that are denied. */
export class DenialUnknownError extends CodedError {
  readonly code = "ERR_DENIAL_UNKNOWN";
  constructor(fingerprint: string) {
    super(`${fingerprint} is not denied here`);
  }
}

/** Statuses of apid's own errors, then those of what it serves and of the runtime. */
export const apidStatuses: readonly StatusTable[] = [
  {
    ERR_NO_FORWARDING: { status: status.PERMISSION_DENIED },
    ERR_APPLY_IN_PROGRESS: { status: status.FAILED_PRECONDITION },
    ERR_CONTROL_PLANE_ONLY: { status: status.UNIMPLEMENTED },
    ERR_NO_SUCH_FILE: { status: status.NOT_FOUND },
    ERR_SECRET_FILE: { status: status.PERMISSION_DENIED },
    ERR_KUBERNETES_AUTHORITY_MISSING: { status: status.FAILED_PRECONDITION },
    ERR_UNHEALTHY: { status: status.DEADLINE_EXCEEDED },
    ERR_LOG_UNKNOWN: { status: status.NOT_FOUND },
    ERR_EVENTS_OVERRUN: { status: status.RESOURCE_EXHAUSTED },
    ERR_SERVICE_UNKNOWN: { status: status.NOT_FOUND },
    ERR_SERVICE_REFUSED: { status: status.FAILED_PRECONDITION },
    ERR_ENDING_IN_PROGRESS: { status: status.FAILED_PRECONDITION },
    ERR_RESET_REFUSED: { status: status.INVALID_ARGUMENT },
    ERR_LEAVE_FAILED: { status: status.FAILED_PRECONDITION },
    ERR_LAST_CONTROL_PLANE: { status: status.FAILED_PRECONDITION },
    ERR_CERTIFICATE_UNKNOWN: { status: status.NOT_FOUND },
    ERR_NO_LEAF: { status: status.FAILED_PRECONDITION },
    ERR_RENEWAL_UNMET: { status: status.DEADLINE_EXCEEDED },
    ERR_DENIAL_UNKNOWN: { status: status.NOT_FOUND },
    ERR_NO_CLUSTER_STORE: { status: status.FAILED_PRECONDITION },
    ERR_POLICY_REFUSED: { status: status.PERMISSION_DENIED },
    ERR_POLICY_INVALID: { status: status.INVALID_ARGUMENT },
  },
  forwardingStatuses,
  ...trustdStatuses,
];
