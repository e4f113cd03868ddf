/** The resources of a kind as they are now, in memory. */
import type { Clock, Random, Resource, ResourceType } from "#runtime";
import { resume, type Store } from "#runtime/store";

/** What following needs. */
export interface Following {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

type Changed<Spec> = (
  id: string,
  now: Resource<Spec> | undefined,
  before: Resource<Spec> | undefined,
) => void;

/** Resources by id. */
export interface Followed<Spec> {
  get(id: string): Resource<Spec> | undefined;
  values(): Iterable<Resource<Spec>>;
  /** Takes a resource that was just written, of which the store may tell later. */
  take(resource: Resource<Spec>): void;
  /** Takes what is stored now. */
  refresh(id: string): Promise<void>;
  close(): void;
}

/**
 * Follows a kind; resolves when all that is stored is known.
 *
 * @param changed told of each change: what is there now and what was, where there is and was something
 */
export async function follow<Spec>(
  { store, clock, random }: Following,
  kind: ResourceType<Spec>,
  changed: Changed<Spec> = () => undefined,
): Promise<Followed<Spec>> {
  const known = new Map<string, Resource<Spec>>();
  const take = (id: string, resource: Resource<Spec> | undefined) => {
    const before = known.get(id);
    if (resource === undefined) known.delete(id);
    else known.set(id, resource);
    changed(id, resource, before);
  };
  const { promise: whole, resolve, reject } = Promise.withResolvers<undefined>();
  const following = resume(store.core, kind, { clock, random }).subscribe({
    next(events) {
      for (const event of events)
        if (event.type === "bootstrapped") resolve(undefined);
        else if (event.type !== "noop" && event.type !== "errored") {
          const resource = event.resource as Resource<Spec>;
          take(resource.metadata.id, event.type === "destroyed" ? undefined : resource);
        }
    },
    complete: () => reject(new Error("the store was closed")),
  });
  await whole;
  return {
    get: (id) => known.get(id),
    values: () => known.values(),
    take(resource) {
      const { id, version } = resource.metadata;
      if ((known.get(id)?.metadata.version ?? 0) < version) take(id, resource);
    },
    refresh: async (id) => take(id, await store.get(kind, id)),
    close: () => following.unsubscribe(),
  };
}
