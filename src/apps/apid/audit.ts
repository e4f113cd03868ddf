/**
 * Which calls go on record: those that change something or ask for a secret, before they do and when
 * they have ended, and those that are refused.
 */
import { formatName } from "#pki";
import { rfc3339Milliseconds, ringAfter, seconds, type Clock } from "#runtime";
import type { Access, Call, CallStatus, Settlement } from "#runtime/rpc";
import { status } from "@grpc/grpc-js";
import type { AuditEntry } from "../audit/index.ts";
import { audited, placeOf, stateReads, typeOf } from "./audited.ts";
import type { Caller } from "./caller.ts";
import { claimedOrigin } from "./forwarding/origin.ts";
import { refusalBudget } from "./refusal-budget.ts";
import { ADMIN, rolesFor } from "./roles.ts";

/** Keeps an entry; may not fail. */
export type RecordEntry = (entry: AuditEntry) => Promise<void>;

/** What auditing needs to know. */
export interface AuditOptions {
  readonly record: RecordEntry;
  readonly clock: Clock;
  readonly callerAt: (peer: string) => Caller | undefined;
  /** Whether a type of resources is secret. */
  readonly isSensitive: (type: string) => boolean;
  /** Whether another node answers in place of this one. */
  readonly isPassedOn: (call: Call) => boolean;
  /** Nobody has a certificate: what is no success is on record at the rate of refusals. */
  readonly maintenance?: true;
}

/** Where calls are looked at. */
export interface Auditing {
  /** Notes who calls, while that can be told; before anything may refuse the call. */
  readonly sees: (call: Call) => void;
  /** Puts on record what is about to be done; undefined when there is nothing to wait for. */
  readonly begins: (call: Call, request: unknown) => Promise<void> | undefined;
  /** Notes how a call for several nodes ended at one of them. */
  readonly ended: (call: Call, node: string, outcome: CallStatus) => void;
  /** Puts on record how a call ended. */
  readonly settled: Settlement;
  /** Puts on record that a secret is handed out, before it is. */
  readonly discloses: (access: Access, call: Call) => Promise<void>;
  /** Waits a while for calls that have begun, then puts on record what is left to say. */
  readonly close: () => Promise<void>;
}

type Who = Pick<AuditEntry, "peer" | "fingerprint" | "subject" | "roles" | "via">;

/** Longer than any call that was begun takes by itself. */
const CLOSE_MAX = seconds(6);

/** Makes the looks. */
export function auditing(options: AuditOptions): Auditing {
  const { record, clock, maintenance } = options;
  const budget = refusalBudget(record, clock);
  const callers = new WeakMap<Call, Who>();
  const outcomes = new WeakMap<Call, Map<string, CallStatus>>();
  const underWay = callsUnderWay(clock);

  const entryOf = (call: Call, resource: string, outcome: string, reason = ""): AuditEntry => ({
    time: rfc3339Milliseconds(clock.now()),
    ...(callers.get(call) ?? whoIs(call, options)),
    method: call.path,
    nodes: [...call.header("node"), ...call.header("nodes")].filter((node) => node !== ""),
    ...{ resource, outcome, reason },
    ...(maintenance && { maintenance }),
  });
  const keep = (entry: AuditEntry, isLimited: boolean) =>
    isLimited ? budget.record(entry.fingerprint, entry) : record(entry);
  /** Whether a secret is about to be asked of another node; who is no administrator is refused there. */
  const isSecretElsewhere = (call: Call, request: unknown): boolean =>
    stateReads.has(call.path) &&
    options.isSensitive(typeOf(request)) &&
    callers.get(call)?.roles.includes(ADMIN) === true &&
    options.isPassedOn(call);

  return {
    sees: (call) => void callers.set(call, whoIs(call, options)),
    begins(call, request) {
      const describe = audited[call.path];
      if (describe === undefined && !isSecretElsewhere(call, request)) return undefined;
      underWay.add(call);
      return keep(entryOf(call, (describe ?? placeOf)(request), "BEGUN"), maintenance === true);
    },
    ended(call, node, outcome) {
      const known = outcomes.get(call) ?? new Map<string, CallStatus>();
      outcomes.set(call, known.set(node, outcome));
    },
    async settled(call, request, outcome) {
      const describe = audited[call.path];
      const { code, details, isPartly } = overall(outcome, outcomes.get(call));
      const isRefused = code === status.PERMISSION_DENIED;
      if (describe === undefined && !isRefused && !underWay.has(call)) return;
      const isTrial = (request as { readonly dryRun?: boolean }).dryRun === true;
      const isIdle = maintenance === true && (code !== status.OK || isTrial);
      const isLimited = !isPartly && (isRefused || isIdle);
      await keep(entryOf(call, (describe ?? placeOf)(request), status[code], details), isLimited);
      underWay.delete(call);
    },
    discloses: (access, call) => record(entryOf(call, placeOf(access), "OK")),
    async close() {
      await underWay.gone();
      await budget.close();
    },
  };
}

/** Calls that have begun and not ended. */
function callsUnderWay(clock: Clock) {
  const calls = new Set<Call>();
  let onIdle: () => void = () => undefined;
  return {
    add: (call: Call) => void calls.add(call),
    has: (call: Call) => calls.has(call),
    delete(call: Call) {
      calls.delete(call);
      if (calls.size === 0) onIdle();
    },
    /** Resolves when there are none, or that takes too long. */
    async gone(): Promise<void> {
      if (calls.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const cancel = ringAfter(clock, CLOSE_MAX, () => resolve(undefined));
      onIdle = () => resolve(undefined);
      await promise;
      cancel();
    },
  };
}

/** Whom a call is put down to: who asked first, when a node that may forward says who that was. */
function whoIs(call: Call, { callerAt }: Pick<AuditOptions, "callerAt">): Who {
  const caller = callerAt(call.peer);
  if (caller === undefined) return { peer: call.peer, fingerprint: "", subject: "", roles: [] };
  const { certificate } = caller;
  const roles = [...rolesFor(caller.roles, call)];
  const origin = claimedOrigin(call, caller);
  return origin === undefined
    ? {
        peer: call.peer,
        fingerprint: certificate.fingerprint,
        subject: formatName(certificate.subject),
        roles,
      }
    : {
        peer: origin.peer,
        fingerprint: origin.fingerprints[0] ?? "",
        subject: origin.subject,
        roles,
        via: `${call.peer} ${certificate.fingerprint}`,
      };
}

/** How a call ended that several nodes answered: as the worst of them, with what each of them said. */
function overall(
  outcome: CallStatus,
  nodes: ReadonlyMap<string, CallStatus> = new Map(),
): CallStatus & { readonly isPartly?: boolean } {
  const failed = [...nodes.values()].filter(({ code }) => code !== status.OK);
  const worst = failed.find(({ code }) => code === status.PERMISSION_DENIED) ?? failed[0];
  if (outcome.code !== status.OK || worst === undefined) return outcome;
  const details = [...nodes].map(([node, { code, details: reason }]) =>
    `${node}: ${status[code]} ${reason}`.trimEnd(),
  );
  return {
    code: worst.code,
    details: details.join("; "),
    isPartly: failed.length < nodes.size,
  };
}
