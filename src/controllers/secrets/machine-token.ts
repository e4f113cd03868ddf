/**
 * Says which `machine.token` trustd takes. When it is replaced, the one before is taken for a while
 * longer, for nodes whose configuration is replaced later; when there is none any more, none is taken.
 */
import { MachineToken, MachineType, OSRoot } from "#resources";
import {
  after,
  days,
  defineController,
  earliest,
  exclusive,
  type Instant,
  instantOf,
  one,
  rfc3339,
} from "#runtime";

/** For how long the token before is taken. */
const OVERLAP = days(1);
/** As many of those before are taken. */
const FORMER_MAX = 8;

export const machineTokenController = (options: {
  /** SHA-256 in lower hex. */
  readonly hashOf: (token: string) => string;
  /** Whether nodes may join by it at all; default yes. */
  readonly enabled?: boolean;
  /** Default a day; 0 for a token that somebody has who should not: none before is taken. */
  readonly overlap?: number;
}) => {
  const { hashOf, enabled = true, overlap = OVERLAP } = options;
  return defineController({
    name: "secrets.MachineTokenController",
    inputs: { root: one(OSRoot, "os"), type: one(MachineType, "machine-type") },
    outputs: { tokens: exclusive(MachineToken) },

    reconcile({ inputs, held, clock }) {
      if (inputs.type.spec.type !== "controlplane") return { outputs: { tokens: {} } };
      const { token } = inputs.root.spec;
      if (!enabled || token === "") return { outputs: { tokens: { trustd: none } } };
      const hash = hashOf(token);
      const now = clock.now();
      const former = stillTaken(held.tokens.trustd ?? none, hash, now, after(now, overlap));
      return {
        outputs: { tokens: { trustd: { hash, former } } },
        wakeAt: earliest(former.map(endOf)),
      };
    },
  });
};

const HASH = /^[0-9a-f]{64}$/;

const none = { hash: "", former: [] };

interface Taken {
  readonly hash: string;
  readonly former: readonly { readonly hash: string; readonly until: string }[];
}

/** Those before `hash`, newest first; none for longer than it would be if it were replaced now. */
function stillTaken(before: Taken, hash: string, now: Instant, until: Instant): Taken["former"] {
  const replaced = { hash: before.hash, until: rfc3339(until) };
  return [replaced, ...before.former]
    .filter((one) => HASH.test(one.hash) && one.hash !== hash && now < endOf(one))
    .map((one) => (endOf(one) > until ? { hash: one.hash, until: rfc3339(until) } : one))
    .slice(0, FORMER_MAX);
}

/** A damaged text has ended. */
function endOf({ until }: { readonly until: string }): Instant {
  const end = instantOf(Date.parse(until));
  return Number.isNaN(end) ? instantOf(-Infinity) : end;
}
