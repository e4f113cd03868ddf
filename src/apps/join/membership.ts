/**
 * What a member does for as long as it is one: it reports to control planes, and listens to what they
 * tell it. Both go on with another one when one is silent, and begin anew with a new identity.
 */
import { isDeepStrictEqual } from "node:util";
import { type NodeHolding, trustedCAs } from "#controllers";
import type { Certificate, KeyedPem } from "#pki";
import { Endpoint, Identity, NodeCertificate, OSRoot } from "#resources";
import {
  type AnyResourceType,
  type Clock,
  fraction,
  type Logger,
  type Random,
  seconds,
} from "#runtime";
import type { Store } from "#runtime/store";
import { ReportRequest, ReportResponse, WatchNodeResponse } from "../rpc/gen/node/node.ts";
import type { CallSigner, WatchSigner } from "./port.ts";
import { REPORTED, reportOf } from "./report.ts";
import { pause, shuffled } from "./rounds.ts";
import { takeUp } from "./told.ts";

const ATTEMPT = seconds(10);
const PAUSE = seconds(1);
const PAUSE_MAX = seconds(60);
/** What changes together is reported together. */
const TOGETHER = seconds(1);
/** A report comes a little before it is missed. */
const EARLY = 0.9;
const REPORT_WITHIN_MIN = 10;

export interface MembershipOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly callSigner: CallSigner;
  readonly watchSigner: WatchSigner;
  /** What this node calls its program. */
  readonly operatingSystem: string;
  /** Where its API listens. */
  readonly apiPort: number;
}

/** Who the member is, and whom it believes. */
interface Member {
  readonly nodeId: string;
  readonly identity: KeyedPem;
  readonly apiPort: number;
  readonly acceptedCAs: readonly Certificate[];
}

/** Begins when there is an identity, and ends when it is disposed of. */
export function keepMembership(options: MembershipOptions): AsyncDisposable {
  const stop = new AbortController();
  const log = options.log.child({ component: "members" });
  const living = live({ ...options, log }, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted)
      log.error({ err: error }, "this node reports no longer: restart this node");
  });
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await living;
    },
  };
}

async function live(options: MembershipOptions, signal: AbortSignal): Promise<void> {
  while (!isOver(signal)) {
    using changes = changesOf(options.store, [NodeCertificate, OSRoot]);
    const member = await memberIn(options.store);
    const replaced = new AbortController();
    const ending = AbortSignal.any([signal, replaced.signal]);
    const acting = member
      ? Promise.all([report(member, options, ending), listen(member, options, ending)])
      : undefined;
    do await changes.next(signal);
    while (!isOver(signal) && isDeepStrictEqual(member, await memberIn(options.store)));
    replaced.abort();
    await acting;
  }
}

/** Undefined for who has no identity, or whose cluster keeps nobody on record. */
async function memberIn(store: Store): Promise<Member | undefined> {
  const held: NodeHolding | undefined = (await store.get(NodeCertificate, "node"))?.spec;
  const root = (await store.get(OSRoot, "os"))?.spec;
  const own = (await store.get(Identity, "local"))?.spec;
  if (!held?.identity || held.machineType === "" || !root || !own) return undefined;
  const { identity, apiPort } = held;
  return { nodeId: own.nodeId, identity, apiPort, acceptedCAs: trustedCAs(root, held) };
}

/** Reports at once, when something has changed, and before it is missed. */
async function report(member: Member, options: MembershipOptions, signal: AbortSignal) {
  const { store, clock, callSigner } = options;
  using changes = changesOf(store, REPORTED);
  await inTurn(options, signal, async (host, succeeded) => {
    let before: ReportRequest | undefined;
    for (let isDue = true; !isOver(signal);) {
      const request = await reportOf({ ...options, nodeId: member.nodeId });
      let within = seconds(REPORT_WITHIN_MIN);
      if (request !== undefined && (isDue || !isDeepStrictEqual(request, before))) {
        const bytes = await callSigner({
          ...{ ...member, method: "Report", host, timeout: ATTEMPT, signal },
          request: ReportRequest.encode(request).finish(),
        });
        succeeded();
        before = request;
        const { nextWithin } = ReportResponse.decode(bytes);
        within = seconds(Math.max(nextWithin, REPORT_WITHIN_MIN)) * EARLY;
      }
      isDue = await changes.noneWithin(within, signal, clock);
      await pause(TOGETHER, signal, clock);
    }
  });
}

/** Takes up what is told, for as long as somebody tells it. */
async function listen(member: Member, options: MembershipOptions, signal: AbortSignal) {
  await inTurn(options, signal, async (host, succeeded) => {
    for await (const bytes of options.watchSigner({ ...member, host, signal })) {
      await takeUp(WatchNodeResponse.decode(bytes), member.acceptedCAs, options);
      succeeded();
    }
  });
}

/** Acts with one control plane after the other, as long as none goes on for good. */
async function inTurn(
  { store, clock, random, log }: MembershipOptions,
  signal: AbortSignal,
  act: (host: string, succeeded: () => void) => Promise<void>,
): Promise<void> {
  let failures = 0;
  const succeeded = () => void (failures = 0);
  while (!isOver(signal)) {
    const endpoints = await store.list(Endpoint);
    const hosts = endpoints.flatMap(({ spec }) => [...spec.addresses, ...spec.hosts]);
    for (const host of hosts.length === 0 ? [undefined] : shuffled([...new Set(hosts)], random)) {
      try {
        if (host !== undefined) await act(host, succeeded);
      } catch (error) {
        if (isOver(signal)) return;
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ host, reason }, "a control plane does not hear this member");
      }
      const longest = Math.min(PAUSE * 2 ** failures++, PAUSE_MAX);
      await pause(longest * (0.5 + fraction(random)), signal, clock);
      if (isOver(signal)) return;
    }
  }
}

const isOver = ({ aborted }: AbortSignal): boolean => aborted;

/** Changes of kinds; one that comes while nobody waits is not lost. */
function changesOf(store: Store, kinds: readonly AnyResourceType[]) {
  let hasChanged = false;
  let wake: () => void = () => undefined;
  const following = kinds.map((kind) =>
    store.watchKind(kind).subscribe(() => {
      hasChanged = true;
      wake();
    }),
  );
  const next = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        hasChanged = false;
        wake = () => undefined;
        signal.removeEventListener("abort", done);
        resolve();
      };
      wake = done;
      signal.addEventListener("abort", done);
      if (hasChanged || signal.aborted) done();
    });
  return {
    next,
    /** Whether there was no change for so long. */
    async noneWithin(duration: number, signal: AbortSignal, clock: Clock): Promise<boolean> {
      const either = new AbortController();
      const ending = AbortSignal.any([signal, either.signal]);
      const isQuiet = await Promise.race([
        next(ending).then(() => false),
        pause(duration, ending, clock).then(() => true),
      ]);
      either.abort();
      return isQuiet;
    },
    [Symbol.dispose]() {
      for (const subscription of following) subscription.unsubscribe();
    },
  };
}
