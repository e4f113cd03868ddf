/**
 * Where requests are decided and put on record. Those that come while others are written are decided
 * together, one after the other, and written in one commit: what one of them spends is spent for the
 * next, and what the store holds by then is what counts.
 */
import { AnsweredRequest, IssuedCertificate, JoinToken, MemberRecord } from "#resources";
import {
  at,
  ConflictError,
  instantOf,
  NotFoundError,
  pointerTo,
  type DeepReadonly,
  type Instant,
  type Pointer,
  type Resource,
  type ResourceType,
  type SpecOf,
} from "#runtime";
import type { CoreStore, Write } from "#runtime/store";
import type { Standing } from "./admission/standing.ts";
import { Claims } from "./claims.ts";
import { claimIssued, claimOfRecord, claimRecord } from "./claimants.ts";
import type { Facts } from "./facts.ts";

/** The record as it will be when all that was decided before is written. */
export interface Draft extends Standing {
  answered(id: string): Resource<SpecOf<typeof AnsweredRequest>> | undefined;
  /** When an identity ends; undefined for one that nothing is known of any more. */
  identityEnd(fingerprint: string): Instant | undefined;
  /** Puts down what a resource shall be. */
  put<Spec>(kind: ResourceType<Spec>, id: string, spec: DeepReadonly<Spec>): void;
}

/**
 * Decides on a request: throws to refuse it, before it puts down anything. Called again where somebody
 * else wrote meanwhile.
 */
export type Decide<T> = (draft: Draft) => T;

/** The ledger. */
export interface Ledger {
  /** Resolves when the decision is as durable as the store makes it. */
  enter<T>(decide: Decide<T>): Promise<T>;
}

interface Entry {
  readonly decide: Decide<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** As many requests have their records written together. */
const TOGETHER_MAX = 256;
/** How often they are decided together; after that each by itself. */
const TRIES_MAX = 5;

/** Opens the ledger. */
export function openLedger(facts: Facts, core: CoreStore): Ledger {
  if (!core.atomic)
    throw new TypeError("a token could be spent twice in a store that is not atomic");
  const waiting: Entry[] = [];
  let isWriting = false;
  const writeAll = async () => {
    isWriting = true;
    await restOfTurn();
    while (waiting.length > 0) {
      const entries = waiting.splice(0, TOGETHER_MAX);
      await settle(entries, facts, core).catch((error: unknown) => {
        // What a decision is based on could not be read; those that come later may have more luck.
        for (const { reject } of entries) reject(error);
      });
    }
    isWriting = false;
  };
  return {
    enter: <T>(decide: Decide<T>) =>
      new Promise<T>((resolve, reject) => {
        waiting.push({ decide, resolve: resolve as Entry["resolve"], reject });
        if (!isWriting) void writeAll();
      }),
  };
}

/** Resolves when those that go on at the same time as this one have entered. */
const restOfTurn = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** Decides and writes; every one of them hears how it went. */
async function settle(
  entries: readonly Entry[],
  facts: Facts,
  core: CoreStore,
  triesLeft = TRIES_MAX,
): Promise<void> {
  const draft = draftOn(facts);
  const answers = entries.map(({ decide, resolve, reject }) => {
    try {
      const value = decide(draft);
      return { resolve: () => resolve(value), reject };
    } catch (error) {
      return { resolve: () => reject(error), reject: () => reject(error) };
    }
  });
  const writes = draft.writes();
  try {
    if (writes.length > 0) for (const resource of await core.commit(writes)) facts.take(resource);
    for (const { resolve } of answers) resolve();
  } catch (error) {
    const isRace = error instanceof ConflictError || error instanceof NotFoundError;
    if (!isRace || (triesLeft <= 1 && entries.length === 1)) {
      for (const { reject } of answers) reject(error);
      return;
    }
    await Promise.all(draft.pointers().map((pointer) => facts.refresh(pointer)));
    if (triesLeft > 1) return settle(entries, facts, core, triesLeft - 1);
    for (const entry of entries) await settle([entry], facts, core);
  }
}

interface OpenDraft extends Draft {
  writes(): readonly Write[];
  pointers(): readonly Pointer[];
}

function draftOn(facts: Facts): OpenDraft {
  const changed = new Map<string, Resource>();
  const claims = new Claims();
  const claimed = new Set<string>();
  const ends = new Map<string, Instant>();
  const find = <Spec>(
    kind: ResourceType<Spec>,
    id: string,
    stored: Resource<Spec> | undefined,
  ): Resource<Spec> | undefined =>
    (changed.get(keyOf(kind, id)) as Resource<Spec> | undefined) ?? stored;
  const draft: OpenDraft = {
    machineToken: () => facts.machineToken(),
    nobodys: () => facts.nobodys(),
    isDenied: (certificate) => facts.isDenied(certificate),
    isReserved: (nodeId) => facts.isReserved(nodeId),
    joinToken: (id) => find(JoinToken, id, facts.joinToken(id)),
    member: (nodeId) => find(MemberRecord, nodeId, facts.member(nodeId)),
    answered: (id) => find(AnsweredRequest, id, facts.answered(id)),
    *holdersOf(host) {
      for (const [id, holder] of facts.claims.holdersOf(host)) if (!claimed.has(id)) yield holder;
      for (const [, holder] of claims.holdersOf(host)) yield holder;
    },
    identityEnd: (fingerprint) => ends.get(fingerprint) ?? facts.identityEnd(fingerprint),
    put(kind, id, spec) {
      const stored = changed.get(keyOf(kind, id)) ?? facts.stored(pointerTo(kind, id));
      const { metadata } = stored ?? { metadata: unwritten(pointerTo(kind, id)) };
      changed.set(keyOf(kind, id), { metadata, spec });
      if (kind.type === IssuedCertificate.type) {
        const issued = spec as DeepReadonly<SpecOf<typeof IssuedCertificate>>;
        ends.set(issued.fingerprint, at(issued.notAfter));
        claimIssued(claims, id, issued);
      }
      if (kind.type !== MemberRecord.type) return;
      claimed.add(claimOfRecord(id));
      claimRecord(claims, id, spec as DeepReadonly<SpecOf<typeof MemberRecord>>);
    },
    writes: () =>
      [...changed.values()].map((resource) => ({
        op: resource.metadata.version === 0 ? ("create" as const) : ("update" as const),
        resource,
      })),
    pointers: () => [...changed.values()].map(({ metadata }) => metadata),
  };
  return draft;
}

const keyOf = ({ type }: { readonly type: string }, id: string): string => `${type}/${id}`;

const unwritten = (pointer: Pointer): Resource["metadata"] => ({
  ...pointer,
  ...{ version: 0, owner: "", phase: "running", labels: {}, annotations: {}, finalizers: [] },
  ...{ created: instantOf(0), updated: instantOf(0) },
});
