/** Failures of apid, and their place among the gRPC statuses. */
import { CodedError } from "#runtime";
import { runtimeStatuses, type StatusTable } from "#runtime/rpc";
import { status } from "@grpc/grpc-js";
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

/** A configuration is being applied at this moment. */
export class ApplyInProgressError extends CodedError {
  readonly code = "ERR_APPLY_IN_PROGRESS";
  constructor() {
    super("another configuration is being applied; try again when it is done");
  }
}

/** The request is not for this type of machine. */
export class ControlPlaneOnlyError extends CodedError {
  readonly code = "ERR_CONTROL_PLANE_ONLY";
  constructor(method: string) {
    super(`${method} is only available on control plane nodes`);
  }
}

/** Statuses of apid's own errors, then those of the runtime. */
export const apidStatuses: readonly StatusTable[] = [
  {
    ERR_NO_FORWARDING: { status: status.PERMISSION_DENIED },
    ERR_APPLY_IN_PROGRESS: { status: status.FAILED_PRECONDITION },
    ERR_CONTROL_PLANE_ONLY: { status: status.UNIMPLEMENTED },
  },
  forwardingStatuses,
  runtimeStatuses,
];
