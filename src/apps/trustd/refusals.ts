/**
 * How calls with a token are refused: what is the asker's fault is counted, what is not is a failure of
 * this node, and both are on record, at little cost.
 */
import {
  rfc3339Milliseconds,
  type Clock,
  type CodedError,
  type Instant,
  type Logger,
} from "#runtime";
import { statusOf } from "#runtime/rpc";
import { status } from "@grpc/grpc-js";
import type { RecordEntry } from "../apid/audit.ts";
import { refusalBudget } from "../apid/refusal-budget.ts";
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

/** Refuses calls. */
export interface Refusals {
  /** Throws nothing: a throw costs more than all else that is done for who is refused by the thousand. */
  readonly refuse: (call: TokenCall, reason: CodedError) => Promise<never>;
  readonly close: () => Promise<void>;
}

/** What refusals need. */
export interface RefusalsOptions {
  readonly limits: Limits;
  readonly record: RecordEntry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Starts with nothing counted. */
export function openRefusals(options: RefusalsOptions): Refusals {
  const { limits, clock, log } = options;
  const refusals = budgetOf(options, (about) => log.warn(about, "refused"));
  const failures = budgetOf(options, (about) =>
    log.error(about, "failed, for no fault of who asked"),
  );
  return {
    refuse(call, reason) {
      const { peer } = call.asker;
      const place = limits.placeOf(peer);
      const isFault = FAULTS.has(reason.code);
      const told = isFault ? limits.refused(peer, call.presented?.name, reason) : reason;
      if (isFault && refusals.count(place)) return Promise.reject(told);
      const { code, details } = statusOf(told, call.method, trustdStatuses);
      const entry = { ...entryOf(call, clock.now()), outcome: status[code], reason: details };
      const budget = isFault || code === status.FAILED_PRECONDITION ? refusals : failures;
      return budget.record(place, entry).then(() => Promise.reject(told));
    },
    async close() {
      await refusals.close();
      await failures.close();
    },
  };
}

/** Lines of those who are not granted what they ask for, in the audit log and the other one. */
const budgetOf = ({ record, clock }: RefusalsOptions, tell: (about: object) => void) =>
  refusalBudget((entry) => {
    const { peer, subject, resource, outcome, reason, count } = entry;
    tell({ peer, subject, resource, outcome, reason, ...(count && { count }) });
    return record(entry);
  }, clock);

/**
 * What is the asker's fault, and counted. All else is a failure of this node: a store that is full, an
 * authority that has ended, a record that others write as well.
 */
const FAULTS: ReadonlySet<string> = new Set([
  "ERR_TOKEN_MISSING",
  "ERR_TOKEN_INVALID",
  "ERR_CSR_UNDECODABLE",
  "ERR_CSR_UNPARSABLE",
  "ERR_CSR_UNSIGNABLE",
  "ERR_SIGNING_REQUEST",
  "ERR_ADMISSION_REFUSED",
  "ERR_REFUSALS_EXHAUSTED",
  "ERR_CERTIFICATE_REFUSED",
  "ERR_POLICY_REFUSED",
]);
