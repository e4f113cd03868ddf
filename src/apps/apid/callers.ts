/** Who makes a call, and whether that one may make any. */
import { AccessDeniedError, type Call } from "#runtime/rpc";
import { claimedOrigin, originOf, type Origin } from "./forwarding/origin.ts";
import type { Listener } from "./listener.ts";
import { mayForward, rolesFor } from "./roles.ts";

/** What is known of connections and denials. */
export interface CallersOptions extends Pick<Listener, "callerAt" | "objectionTo"> {
  /** Whether one of the fingerprints is denied. */
  readonly isDenied: (fingerprints: readonly string[]) => boolean;
}

/** Answers about the one who makes a call. */
export interface Callers {
  /** @throws {AccessDeniedError} when it may make none: nor may who is denied, through another node */
  readonly rolesOf: (call: Call) => ReadonlySet<string>;
  /** Undefined when it is gone. */
  readonly originOf: (call: Call) => Origin | undefined;
  /** Whether it may pass on what others ask. */
  readonly isForwarder: (call: Call) => boolean;
}

/** Makes the answers. */
export function callersOf({ callerAt, objectionTo, isDenied }: CallersOptions): Callers {
  return {
    rolesOf(call) {
      const objection = objectionTo(call.peer);
      if (objection !== undefined) throw new AccessDeniedError(objection);
      const caller = callerAt(call.peer);
      if (caller === undefined) throw new AccessDeniedError("not authorized"); // it is gone
      const origin = claimedOrigin(call, caller);
      if (origin !== undefined && isDenied(origin.fingerprints))
        throw new AccessDeniedError("client certificate is denied");
      return rolesFor(caller.roles, call);
    },
    originOf(call) {
      const caller = callerAt(call.peer);
      return caller && originOf(call, caller);
    },
    isForwarder(call) {
      const caller = callerAt(call.peer);
      return caller !== undefined && mayForward(caller.roles);
    },
  };
}
