/** The policy in force: a resource that the node follows, whose absence means the default policy. */
import {
  compilePolicy,
  type CompiledPolicy,
  defaultInForce,
  defaultPolicy,
  type Policy,
  type PolicyInForce,
} from "#pki";
import { CertificatePolicy } from "#resources";
import { CodedError, type DeepReadonly, type Logger, type Resource, type SpecOf } from "#runtime";
import type { Store } from "#runtime/store";

/** The id of the one in force. */
export const IN_FORCE = "default";

type StoredSpec = SpecOf<typeof CertificatePolicy>;
type Held = Resource<DeepReadonly<SpecOf<typeof CertificatePolicy>>>;

/** The policy in force at any time. */
export interface FollowedPolicy {
  readonly inForce: PolicyInForce;
  /** Resolves when this version of what is stored is in force, or a later one. */
  until(version: number): Promise<void>;
}

/**
 * Follows it; resolves when the one that is stored is in force. Where there is none, or the default one
 * of another version, the default policy of this version is stored, for those who look at it.
 */
export async function followPolicy({
  store,
  log,
}: {
  readonly store: Store;
  readonly log: Logger;
}): Promise<FollowedPolicy & Disposable> {
  let compiled = defaultInForce();
  let current = 0;
  const waiting = new Set<() => void>();
  const take = (held: Held | undefined) => {
    current = held?.metadata.version ?? current;
    compiled = compiledOf(held, log);
    for (const look of waiting) look();
  };
  await storeDefault(store, log);
  take(await store.get(CertificatePolicy, IN_FORCE));
  const following = store.watch(CertificatePolicy, IN_FORCE).subscribe({
    next(event) {
      if (event.type === "destroyed") take(undefined);
      else if (event.type === "created" || event.type === "updated") take(event.resource);
    },
    error: (error: unknown) =>
      log.error({ err: error }, "the policy is followed no longer: restart this node"),
  });
  return {
    inForce: () => compiled,
    until: (version) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (current < version) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    [Symbol.dispose]: () => following.unsubscribe(),
  };
}

/** One that cannot be read, as it is of another version, lets nothing through that the default does not. */
function compiledOf(held: Held | undefined, log: Logger): CompiledPolicy {
  if (held === undefined) return defaultInForce();
  try {
    return compilePolicy(held.spec);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    log.error(
      { reason: error.message },
      "the stored policy cannot be used: the default one is in force",
    );
    return defaultInForce();
  }
}

const byDefault = specOf("What Talos would issue, and no more", "", defaultPolicy);

/** A policy as it is stored. */
export function specOf(description: string, since: string, { profiles }: Policy) {
  return { description, since, profiles: profiles as StoredSpec["profiles"] };
}

async function storeDefault(store: Store, log: Logger): Promise<void> {
  try {
    const held = await store.get(CertificatePolicy, IN_FORCE);
    if (held !== undefined && held.spec.since !== "") return;
    await store.modify(CertificatePolicy, IN_FORCE, () => byDefault, { initial: byDefault });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    log.error({ reason: error.message }, "the default policy cannot be stored, but is in force");
  }
}
