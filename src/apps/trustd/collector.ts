/** Takes away what was kept of certificates that have ended. */
import {
  after,
  ConflictError,
  days,
  hours,
  NotFoundError,
  ringAfter,
  type Clock,
  type Instant,
  type Logger,
} from "#runtime";
import type { Store, Write } from "#runtime/store";
import type { Facts } from "./facts.ts";
import { timeIn } from "./token-state.ts";

/** How often is looked. */
const EVERY = hours(1);
/** How long they are kept beyond their end, for a clock that was ahead and is set back. */
const KEEP = days(7);
/** So many are taken away in one commit. */
const TOGETHER_MAX = 500;

/** Looks now and then. @returns a function that ends it */
export function collectEnded(o: {
  readonly facts: Pick<Facts, "kept">;
  readonly records: Store;
  readonly clock: Clock;
  readonly log: Logger;
}): () => void {
  let isClosed = false;
  let cancel: () => void = () => undefined;
  const sweep = async () => {
    const gone = after(o.clock.now(), -KEEP);
    const ended = [...o.facts.kept()].filter(({ spec }) => hasEnded(spec.notAfter, gone));
    for (let from = 0; from < ended.length && !isClosed; from += TOGETHER_MAX) {
      const writes = ended.slice(from, from + TOGETHER_MAX).map(({ metadata }) => ({
        op: "destroy" as const,
        pointer: metadata,
      }));
      await destroyAll(o.records, writes);
    }
  };
  const ringLater = () => {
    cancel = ringAfter(o.clock, EVERY, () => {
      sweep()
        .catch((error: unknown) =>
          o.log.error({ err: error }, "certificates that have ended are still on record"),
        )
        .finally(() => {
          if (!isClosed) ringLater();
        });
    });
  };
  ringLater();
  return () => {
    isClosed = true;
    cancel();
  };
}

/** Of what nobody can say when it ends, it is not said that it has. */
const hasEnded = (notAfter: string, gone: Instant): boolean =>
  (timeIn(notAfter) ?? Infinity) <= gone;

/** One that another control plane was faster with, or that changes, is no reason to keep the others. */
async function destroyAll(records: Store, writes: readonly Write[]): Promise<void> {
  try {
    await records.core.commit(writes);
  } catch (error) {
    if (!isRace(error)) throw error;
    if (writes.length > 1) for (const write of writes) await destroyAll(records, [write]);
  }
}

const isRace = (error: unknown): boolean =>
  error instanceof NotFoundError || error instanceof ConflictError;
