/**
 * What each call with a token goes through, whatever it asks for: the token is looked at before
 * anything that costs more, refusals are counted, and what is about to be done, or was refused, is on
 * record before that. Calls whose lines are written together go on together.
 */
import { formatName, type Csr } from "#pki";
import { CodedError, rfc3339Milliseconds, type Clock, type Logger } from "#runtime";
import { status } from "@grpc/grpc-js";
import { statusOf } from "#runtime/rpc";
import type { RecordEntry } from "../apid/audit.ts";
import { refusalBudget } from "../apid/refusal-budget.ts";
import { addressOfPeer } from "./admission/strict.ts";
import type { Standing } from "./admission/standing.ts";
import { recognise, type Presented } from "./admission/token.ts";
import { PeerUnknownError, trustdStatuses } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { TokenAsker } from "./signer.ts";

/** A call that is under way. */
export interface Attempt {
  readonly peer: string;
  readonly presented: Presented;
  /** Says what is asked for, as soon as that is known. */
  asksFor(csr: Csr, nodeId?: string): void;
  /** Puts on record that it is about to be granted. */
  begins(): Promise<void>;
}

/** Makes calls. */
export interface Attempts {
  /** @throws what `answer` throws, or that too much was refused */
  make<T>(asker: TokenAsker, method: string, answer: (attempt: Attempt) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What attempts need. */
export interface AttemptsOptions {
  readonly standing: Standing;
  readonly limits: Limits;
  readonly record: RecordEntry;
  readonly clock: Clock;
  readonly log: Logger;
}

interface About {
  readonly subject: string;
  readonly nodeId: string;
}

/** Makes them. */
export function openAttempts(options: AttemptsOptions): Attempts {
  const { standing, limits, record, clock, log } = options;
  const budget = refusalBudget((entry) => {
    const { peer, subject, resource, outcome, reason, count } = entry;
    log.warn({ peer, subject, resource, outcome, reason, ...(count && { count }) }, "refused");
    return record(entry);
  }, clock);
  const entryOf = (
    { peer }: TokenAsker,
    method: string,
    token: string | undefined,
    { subject, nodeId }: About,
  ) => ({
    time: rfc3339Milliseconds(clock.now()),
    ...{ peer, fingerprint: "", subject, roles: [], method, nodes: [] },
    resource: [token && `token ${token}`, nodeId && `node ${nodeId}`].filter(Boolean).join(", "),
  });
  const addressOf = knownLately(addressOfPeer);

  /** Throws nothing: a throw costs more than all else that is done for who is refused by the thousand. */
  const refuse = (
    asker: TokenAsker,
    method: string,
    error: CodedError,
    { about = nothing, presented }: { about?: About; presented?: Presented } = {},
  ): Promise<never> => {
    const address = addressOf(asker.peer);
    const told = limits.refused(address, presented?.name, error);
    if (budget.count(address)) return Promise.reject(told);
    const { code, details } = statusOf(told, method, trustdStatuses);
    const entry = entryOf(asker, method, presented?.name, about);
    return budget
      .record(address, { ...entry, outcome: status[code], reason: details })
      .then(() => Promise.reject(told));
  };

  const grant = async <T>(
    asker: TokenAsker,
    method: string,
    presented: Presented,
    answer: (attempt: Attempt) => Promise<T>,
  ): Promise<T> => {
    const { peer } = asker;
    const about = { ...nothing };
    let begun: Promise<void> | undefined;
    const line = (outcome: string) =>
      record({ ...entryOf(asker, method, presented.name, about), outcome, reason: "" });
    try {
      const answered = await answer({
        ...{ peer, presented },
        asksFor: (csr, nodeId = "") => {
          Object.assign(about, { subject: formatName(csr.subject), nodeId });
          tell(log, peer, csr, nodeId);
        },
        begins: () => (begun = line("BEGUN")),
      });
      // It is on record already that this was about to be done.
      const isWritten = line("OK");
      if (begun === undefined) await isWritten;
      return answered;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return refuse(asker, method, error, { about, presented });
    }
  };

  return {
    make(asker, method, answer) {
      if (asker.peer === "") return Promise.reject(new PeerUnknownError());
      const presented = recognise(asker.token, standing, clock.now());
      if (presented instanceof CodedError) return refuse(asker, method, presented);
      const objection = limits.objectionTo(addressOf(asker.peer), presented.name);
      if (objection !== undefined) return refuse(asker, method, objection, { presented });
      return grant(asker, method, presented, answer);
    },
    close: () => budget.close(),
  };
}

const nothing: About = { subject: "", nodeId: "" };

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

/** What is asked for, as Talos' trustd logs it. */
function tell(log: Logger, peer: string, csr: Csr, nodeId: string): void {
  const { subject, dnsNames, ipAddresses } = csr;
  log.info(
    { peer, subject: formatName(subject), dnsNames, ipAddresses, ...(nodeId && { nodeId }) },
    "certificate requested",
  );
}

const REFUSALS: ReadonlySet<number> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.RESOURCE_EXHAUSTED,
  status.INTERNAL,
]);

/** Whether an error is the asker's fault. */
const isRefusal = (error: unknown): error is CodedError =>
  error instanceof CodedError && REFUSALS.has(statusOf(error, "", trustdStatuses).code);
