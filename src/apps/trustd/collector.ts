/** Takes away what was kept of certificates that have ended. */
import { after, at, hours, NotFoundError, ringAfter, type Clock, type Logger } from "#runtime";
import type { Store } from "#runtime/store";
import type { Facts } from "./facts.ts";

/** How often is looked. */
const EVERY = hours(1);
/** How long they are kept beyond their end, for a clock that was ahead and is set back. */
const KEEP = hours(1);
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
    const ended = [...o.facts.kept()].filter(({ spec }) => at(spec.notAfter) <= gone);
    for (let from = 0; from < ended.length && !isClosed; from += TOGETHER_MAX) {
      const writes = ended.slice(from, from + TOGETHER_MAX).map(({ metadata }) => ({
        op: "destroy" as const,
        pointer: metadata,
      }));
      await o.records.core.commit(writes);
    }
  };
  const ringLater = () => {
    cancel = ringAfter(o.clock, EVERY, () => {
      sweep()
        .catch((error: unknown) => {
          // Another control plane was faster.
          if (!(error instanceof NotFoundError))
            o.log.error({ err: error }, "certificates that have ended are still on record");
        })
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
