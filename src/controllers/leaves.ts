/** Keeps several leaves of one controller, so that one which cannot be issued does not hold back the rest. */
import { type IssueLeaf, keepLeaf, type KeyedPem, type Replacement } from "#pki";
import { type Clock, earliest, type Instant } from "#runtime";
import { isUsable } from "./readable.ts";

/** What {@link IssueLeaf} is asked, without the time. */
export type Wanted = Omit<Parameters<IssueLeaf>[0], "now">;

export interface KeptLeaves<Name extends string> {
  /** Null for one that cannot be issued, and of which nothing usable is held. */
  readonly leaves: Readonly<Record<Name, KeyedPem | null>>;
  readonly renewAt: Instant | null;
}

/**
 * Looks at each leaf in turn, in the order of `wanted`. Where one fails, the held one stays if it is of
 * any use, and the others are returned with a wake-up now; when nothing else is left to change, the
 * failure is thrown, and backed off by the engine.
 *
 * @throws what `issueLeaf` throws, when no leaf has changed
 */
export async function keepLeaves<Name extends string>(options: {
  readonly held: Readonly<Partial<Record<Name, KeyedPem | null | undefined>>>;
  readonly wanted: Readonly<Record<Name, Wanted>>;
  /** What is to be replaced before its time. */
  readonly replacements?: Readonly<Partial<Record<Name, Replacement>>>;
  readonly issueLeaf: IssueLeaf;
  readonly clock: Clock;
}): Promise<KeptLeaves<Name>> {
  const now = options.clock.now();
  const leaves: Partial<Record<Name, KeyedPem | null>> = {};
  const renewals: (Instant | null)[] = [];
  const failures: unknown[] = [];
  let changed = false;
  for (const name of Object.keys(options.wanted) as Name[]) {
    const held = options.held[name] ?? undefined;
    try {
      const request = { ...options.wanted[name], now };
      const replacement = options.replacements?.[name];
      const kept = await keepLeaf({ held, request, replacement, issueLeaf: options.issueLeaf });
      leaves[name] = kept.leaf;
      renewals.push(kept.renewAt);
    } catch (error) {
      leaves[name] = isUsable(held) ? held : null;
      failures.push(error);
    }
    changed ||= leaves[name] !== (held ?? null);
  }
  if (failures.length > 0 && !changed) throw failures[0];
  return {
    leaves: leaves as Record<Name, KeyedPem | null>,
    renewAt: failures.length > 0 ? now : earliest(renewals),
  };
}
