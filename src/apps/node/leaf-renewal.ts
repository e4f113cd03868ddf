/** Replaces leaves on request: the request is a resource, and the controllers do the rest. */
import { CertificateStatus, RenewalRequest, ROLE_LABEL } from "#resources";
import {
  after,
  type Clock,
  NotFoundError,
  type Resource,
  rfc3339,
  seconds,
  type SpecOf,
} from "#runtime";
import type { Store } from "#runtime/store";
import {
  CertificateUnknownError,
  type Issued,
  NoLeafError,
  type RenewLeaves,
  RenewalUnmetError,
} from "../apid/index.ts";

/** How long a caller waits. */
const WAIT_MAX = seconds(10);

type Status = Resource<SpecOf<typeof CertificateStatus>>;

interface LeafRenewalOptions {
  readonly store: Store;
  readonly clock: Clock;
}

/**
 * Makes the function. What is asked for and not met in time stays asked for. Callers come one after the
 * other: what one is given is not what the next has asked for.
 */
export function leafRenewal(options: LeafRenewalOptions): RenewLeaves {
  const renew = oneRenewal(options);
  let last: Promise<unknown> = Promise.resolve();
  return (request) => {
    const next = last.then(() => renew(request));
    last = next.catch(() => undefined);
    return next;
  };
}

const oneRenewal =
  ({ store, clock }: LeafRenewalOptions): RenewLeaves =>
  async ({ ids, newKey, signal }) => {
    signal.throwIfAborted();
    const leaves = meantBy(ids, await store.list(CertificateStatus));
    const late = new AbortController();
    const cancel = clock.alarm(after(clock.now(), WAIT_MAX), () => late.abort());
    const until = { signal: AbortSignal.any([signal, late.signal]) };
    try {
      const since = rfc3339(clock.now());
      const issuing = leaves.map(async ({ metadata: { id }, spec: { serialNumber } }) => {
        const request = { serialNumber, newKey, since };
        await store.modify(RenewalRequest, id, () => request, { initial: request });
        const matches = ({ spec }: Status) =>
          spec.serialNumber !== "" && spec.serialNumber !== serialNumber;
        const { spec } = await store.watchFor(CertificateStatus, id, { matches }, until);
        await withdraw(store, id);
        return { id, serialNumber: spec.serialNumber, notAfter: spec.notAfter } satisfies Issued;
      });
      const outcomes = await Promise.allSettled(issuing);
      if (late.signal.aborted) throw await unmet(leaves, store);
      return outcomes.map((outcome) => {
        if (outcome.status === "rejected") throw outcome.reason;
        return outcome.value;
      });
    } finally {
      cancel();
    }
  };

/** @throws {CertificateUnknownError} {@link NoLeafError} */
function meantBy(ids: readonly string[], statuses: readonly Status[]): readonly Status[] {
  const isLeaf = ({ metadata }: Status) => metadata.labels[ROLE_LABEL] === "leaf";
  const leaves = statuses.filter(isLeaf);
  if (ids.length === 0) return leaves;
  const known = new Map(statuses.map((status) => [status.metadata.id, status]));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    const there = leaves.map(({ metadata }) => metadata.id);
    throw new CertificateUnknownError(unknown, there);
  }
  const meant = [...new Set(ids)].flatMap((id) => known.get(id) ?? []);
  const authorities = meant.filter((status) => !isLeaf(status));
  if (authorities.length > 0) throw new NoLeafError(authorities.map(({ metadata }) => metadata.id));
  return meant;
}

/** It is spent: another caller may have taken it back. */
async function withdraw(store: Store, id: string): Promise<void> {
  const { namespace, type } = RenewalRequest;
  await store.destroy({ namespace, type, id }).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error;
  });
}

/** Names what is still the same, and what its status says is in the way. */
async function unmet(leaves: readonly Status[], store: Store): Promise<RenewalUnmetError> {
  const missing: string[] = [];
  for (const { metadata, spec } of leaves) {
    const now = await store.get(CertificateStatus, metadata.id);
    if (now && now.spec.serialNumber !== spec.serialNumber) continue;
    missing.push(`${metadata.id} (${reasonOf(now)})`);
  }
  return new RenewalUnmetError(
    `not renewed within ${WAIT_MAX / seconds(1)} seconds, but still asked for: ${missing.join(", ")}`,
  );
}

const reasonOf = (status: Status | undefined): string => {
  const why = status?.spec.why ?? "";
  return why === "" ? "nothing is known to be in the way" : why;
};
