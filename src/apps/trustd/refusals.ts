/** How calls with a token are refused: counted, on record, and at little cost. */
import { CodedError, rfc3339Milliseconds, type Clock, type Instant, type Logger } from "#runtime";
import { statusOf } from "#runtime/rpc";
import { status } from "@grpc/grpc-js";
import type { RecordEntry } from "../apid/audit.ts";
import { refusalBudget } from "../apid/refusal-budget.ts";
import { addressOfPeer } from "./admission/strict.ts";
import type { Presented } from "./admission/token.ts";
import { trustdStatuses } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { TokenAsker } from "./signer.ts";

/** A call, as far as it is known what it is about. */
export interface TokenCall {
  readonly asker: TokenAsker;
  /** Full path. */
  readonly method: string;
  /** The token, when it is a right one. */
  readonly presented?: Presented;
  /** Of the request for a certificate. */
  readonly subject?: string;
  readonly nodeId?: string;
}

/** What is on record of a call, but how it ended. */
export const entryOf = (
  { asker: { peer }, method, presented, subject = "", nodeId = "" }: TokenCall,
  now: Instant,
) => ({
  time: rfc3339Milliseconds(now),
  ...{ peer, fingerprint: "", subject, roles: [], method, nodes: [] },
  resource: [presented && `token ${presented.name}`, nodeId && `node ${nodeId}`]
    .filter(Boolean)
    .join(", "),
});

const REFUSALS: ReadonlySet<number> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.RESOURCE_EXHAUSTED,
  status.INTERNAL,
]);

/** Whether an error is the asker's fault. */
export const isRefusal = (error: unknown): error is CodedError =>
  error instanceof CodedError && REFUSALS.has(statusOf(error, "", trustdStatuses).code);

/** Refuses calls. */
export interface Refusals {
  /** Throws nothing: a throw costs more than all else that is done for who is refused by the thousand. */
  readonly refuse: (call: TokenCall, reason: CodedError) => Promise<never>;
  /** The address of a peer. */
  readonly addressOf: (peer: string) => string;
  readonly close: () => Promise<void>;
}

/** Starts with nothing counted. */
export function openRefusals(o: {
  readonly limits: Limits;
  readonly record: RecordEntry;
  readonly clock: Clock;
  readonly log: Logger;
}): Refusals {
  const budget = refusalBudget((entry) => {
    const { peer, subject, resource, outcome, reason, count } = entry;
    o.log.warn({ peer, subject, resource, outcome, reason, ...(count && { count }) }, "refused");
    return o.record(entry);
  }, o.clock);
  const addressOf = knownLately(addressOfPeer);
  return {
    refuse(call, reason) {
      const address = addressOf(call.asker.peer);
      const told = o.limits.refused(address, call.presented?.name, reason);
      if (budget.count(address)) return Promise.reject(told);
      const { code, details } = statusOf(told, call.method, trustdStatuses);
      const entry = { ...entryOf(call, o.clock.now()), outcome: status[code], reason: details };
      return budget.record(address, entry).then(() => Promise.reject(told));
    },
    addressOf,
    close: () => budget.close(),
  };
}

/** As many peers are in mind. */
const PEERS_MAX = 4096;

/** What was found out of a text is asked again soon. */
function knownLately(find: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    if (known.size >= PEERS_MAX) known.clear();
    const found = find(text);
    known.set(text, found);
    return found;
  };
}
