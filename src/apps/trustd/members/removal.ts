/** A member is one no longer: off the record, and what it was a client with is denied. */
import {
  AnsweredRequest,
  DeniedCertificate,
  IssuedCertificate,
  MemberRecord,
  MemberReport,
} from "#resources";
import {
  after,
  type AnyResourceType,
  at,
  type Clock,
  ConflictError,
  days,
  type Instant,
  NotFoundError,
  pointerTo,
  type Resource,
  type ResourceType,
  rfc3339,
} from "#runtime";
import { type Store, unstored, type View, type Write } from "#runtime/store";
import type { RecordedMember } from "./asker.ts";

/** When a denied certificate ends by itself: RFC 3339. Some time after that the denial goes. */
const NOT_AFTER = "trustplane.dev/not-after";
/** So long after its end nobody takes a certificate for good, whatever the clock says. */
const KEPT_FOR = days(1);
/** Somebody wins each race. */
const TRIES_MAX = 20;

const read = [AnsweredRequest, DeniedCertificate, IssuedCertificate, MemberReport];

/**
 * Takes it off the record in one commit: its report goes too, and answers to its requests, which are
 * given to nobody any more.
 *
 * @returns how many certificates are denied by this, and were not before
 * @throws {NotFoundError} when it is off the record already
 */
export async function removeMember(
  store: Store,
  member: RecordedMember,
  { clock, reason }: { readonly clock: Clock; readonly reason: string },
): Promise<number> {
  const { id } = member.metadata;
  for (let tries = 1; ; tries++) {
    const { writes, denied } = await store.core.snapshot([MemberRecord, ...read], (view) => {
      const record = view.get(pointerTo(MemberRecord, id)) as RecordedMember | undefined;
      if (record === undefined) throw new NotFoundError(pointerTo(MemberRecord, id));
      return removal(view, record, clock.now(), reason);
    });
    try {
      await store.core.commit(writes);
      return denied;
    } catch (error) {
      const isRace = error instanceof ConflictError || error instanceof NotFoundError;
      if (!isRace || tries === TRIES_MAX) throw error;
    }
  }
}

function removal(view: View, record: RecordedMember, now: Instant, reason: string) {
  const { id } = record.metadata;
  const report = view.get(pointerTo(MemberReport, id));
  const answered = listOf(view, AnsweredRequest).filter(({ spec }) => spec.nodeId === id);
  const before = listOf(view, DeniedCertificate);
  const ends = identitiesOf(view, record);
  for (const { metadata } of before) ends.delete(metadata.id);
  const denials = [...ends].map(([fingerprint, notAfter]) =>
    unstored(
      pointerTo(DeniedCertificate, fingerprint),
      { reason, since: rfc3339(now) },
      notAfter === "" ? {} : { annotations: { [NOT_AFTER]: notAfter } },
    ),
  );
  const outdated = before.filter(({ metadata }) => {
    const notAfter = metadata.annotations[NOT_AFTER];
    return notAfter !== undefined && now >= after(at(notAfter), KEPT_FOR);
  });
  const going = [record, ...(report ? [report] : []), ...answered, ...outdated];
  const writes: Write[] = [
    ...denials.map((resource) => ({ op: "create" as const, resource })),
    ...going.map(({ metadata: { namespace, type, id: each, version, owner } }) => ({
      op: "destroy" as const,
      pointer: { namespace, type, id: each },
      version,
      owner,
    })),
  ];
  return { writes, denied: denials.length };
}

/** Fingerprints of what it is a client with, with the end of each where that is known. */
function identitiesOf(view: View, { metadata, spec }: RecordedMember): Map<string, string> {
  const issued = listOf(view, IssuedCertificate).filter(
    ({ spec: { nodeId, profile } }) => nodeId === metadata.id && profile === "nodeIdentity",
  );
  const ends = new Map(spec.identities.map((fingerprint) => [fingerprint, ""]));
  for (const { spec: one } of issued) ends.set(one.fingerprint, one.notAfter);
  return ends;
}

const listOf = <Spec>(view: View, kind: ResourceType<Spec> & AnyResourceType) =>
  view.list(kind) as readonly Resource<Spec>[];
