/** What can be done about a refusal, where only the side that asked can say it. */
import { infoOfContext, type TalosContext } from "#config/talosconfig";
import { CodedError } from "#runtime";

/** Who asks. */
export interface Caller {
  readonly context: TalosContext;
  /** Where the identity comes from: `context "admin" in ./talosconfig`. */
  readonly source: string;
}

/** A failure with a hint; code and message are those of its cause. */
export class AdvisedError extends CodedError {
  readonly code: string;
  readonly hint: string;
  constructor(cause: CodedError, hint: string) {
    super(cause.message, { cause });
    this.code = cause.code;
    this.hint = hint;
    if (cause.stack !== undefined) this.stack = cause.stack; // where it happened, and not here
  }
}

/** @returns the same failure, with a hint where there is one to give */
export function advised(error: unknown, caller: Caller, node = ""): unknown {
  if (!(error instanceof CodedError)) return error;
  const hint = hintFor(error, caller, node);
  return hint === undefined ? error : new AdvisedError(error, hint);
}

type Advice = (caller: Caller, node: string) => string | undefined;

/** Refusals by what nodes say, which are words of Talos. */
const refusals: readonly (readonly [desc: RegExp, advice: Advice])[] = [
  [
    /^no request forwarding$/,
    (_, node) =>
      `${JSON.stringify(node)} is not the node that answers at this endpoint, which is a worker or has ` +
      "no certificate for others: name a control plane with --endpoints",
  ],
  [
    /^node \S+ cannot be reached: getaddrinfo /,
    (_, node) =>
      `no name server knows ${JSON.stringify(node)}: -n (--nodes) takes nodes, --namespace a namespace`,
  ],
  [/^not authorized$/, neededRoles],
  [
    /a reset that is not graceful/,
    (_, node) =>
      `trustplane reset${node === "" ? "" : ` -n ${node}`} --graceful=false is one; all that the node has goes`,
  ],
  [/^namespace ".*" is not supported$/, () => "trustplane get namespaces lists them"],
];

function hintFor(error: CodedError, caller: Caller, node: string): string | undefined {
  if (error.code.startsWith("ERR_CLIENT_CERTIFICATE_")) return newIdentity(error, caller);
  const [, desc] =
    /^rpc error: code = (?:PermissionDenied|Unavailable|FailedPrecondition) desc = (.*)$/s.exec(
      error.message,
    ) ?? [];
  if (desc === undefined) return undefined;
  return refusals.find(([pattern]) => pattern.test(desc))?.[1](caller, node);
}

function neededRoles(caller: Caller): string | undefined {
  const roles = rolesOf(caller);
  if (roles === undefined || roles.includes("os:admin")) return undefined;
  const noun = roles.length === 1 ? "the role" : "the roles";
  const held = roles.length === 0 ? "no role" : `${noun} ${roles.join(", ")}`;
  return (
    `the client certificate of ${caller.source} has ${held}; get and list need os:reader; read, ` +
    "sensitive kinds and changes need os:admin"
  );
}

/** What an administrator does by `gen config` is not for one who has fewer roles. */
function newIdentity(error: CodedError, caller: Caller): string | undefined {
  const roles = rolesOf(caller) ?? [];
  if (roles.length === 0 || roles.includes("os:admin")) return undefined;
  const cure = `an administrator issues one with fewer roles: trustplane config new --roles ${roles.join(",")}`;
  const hint = "hint" in error && typeof error.hint === "string" ? error.hint : undefined;
  return hint === undefined ? cure : `${hint}; ${cure}`;
}

/** Undefined where there is no certificate that can be read. */
function rolesOf({ context, source }: Caller): readonly string[] | undefined {
  try {
    return infoOfContext(context, source)?.roles;
  } catch {
    return undefined; // what is wrong with it is told elsewhere
  }
}
