/** The policy in force: a resource that the node follows, whose absence means the default policy. */
import {
  compilePolicy,
  type CompiledPolicy,
  defaultInForce,
  defaultPolicy,
  type Policy,
  type PolicyInForce,
  withholding,
} from "#pki";
import { CertificatePolicy } from "#resources";
import {
  CodedError,
  type DeepReadonly,
  formatPointer,
  type Logger,
  pointerTo,
  type Resource,
  type SpecOf,
} from "#runtime";
import { DamagedResource, type Store, unstored } from "#runtime/store";

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
 * of another version, the default policy of this version is stored, for those who look at it. One that
 * cannot be read changes nothing: the last one that could stays in force, and where none is known,
 * nodes and clients get nothing.
 */
export async function followPolicy({
  store,
  log,
}: {
  readonly store: Store;
  readonly log: Logger;
}): Promise<FollowedPolicy & Disposable> {
  const damage = await damageOf(store);
  let compiled: CompiledPolicy | undefined;
  let current = 0;
  const waiting = new Set<() => void>();
  const take = (held: Held | undefined) => {
    current = held?.metadata.version ?? current;
    compiled = compiledOf(held, compiled, log);
    for (const look of waiting) look();
  };
  if (damage === undefined) {
    await storeDefault(store, log);
    take(await store.get(CertificatePolicy, IN_FORCE));
  } else {
    log.error({ reason: damage }, withheldMessage);
    compiled = withholding(damage);
  }
  const following = store.watch(CertificatePolicy, IN_FORCE).subscribe({
    next(event) {
      if (event.type === "destroyed") {
        // One that is damaged is told of as if there were none.
        if (damage === undefined || event.resource.metadata.version > 0) take(undefined);
      } else if (event.type === "created" || event.type === "updated") take(event.resource);
    },
    error: (error: unknown) =>
      log.error({ err: error }, "the policy is followed no longer: restart this node"),
  });
  return {
    inForce: () => compiled ?? defaultInForce(),
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

const withheldMessage =
  "the stored policy cannot be read: nothing is issued to nodes and clients until a policy is applied";

/** One that cannot be read, as it is of another version, leaves in force what was. */
function compiledOf(
  held: Held | undefined,
  before: CompiledPolicy | undefined,
  log: Logger,
): CompiledPolicy {
  if (held === undefined) return defaultInForce();
  try {
    return compilePolicy(held.spec);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const { message: reason } = error;
    if (before === undefined || before.withheld !== undefined) {
      log.error({ reason }, withheldMessage);
      return withholding(reason);
    }
    log.error({ reason }, "the stored policy cannot be read: the one before it stays in force");
    return before;
  }
}

const pointer = pointerTo(CertificatePolicy, IN_FORCE);

/** What is wrong with the stored one, where the store could not even read it. */
const damageOf = async (store: Store): Promise<string | undefined> =>
  (await store.get(DamagedResource, formatPointer(pointer)))?.spec.problem;

/** Puts a policy in the place of the stored one, also of one that cannot be read. @returns its version */
export async function storePolicy(store: Store, spec: StoredSpec): Promise<number> {
  if ((await damageOf(store)) === undefined) {
    const options = { initial: spec };
    return (await store.modify(CertificatePolicy, IN_FORCE, () => spec, options)).metadata.version;
  }
  const resource = unstored(pointer, spec, {});
  const [stored] = await store.core.commit([{ op: "create", resource, replacesDamaged: true }]);
  return stored?.metadata.version ?? 0;
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
