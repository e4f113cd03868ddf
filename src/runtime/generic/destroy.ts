/** Destroys what is tearing down and belongs to nobody (cosi.md §7.4). */
import { defineController, destroyReady, each, shared, type Controller } from "../controller.ts";
import type { ResourceType } from "../resource.ts";

/** Makes a queued controller that destroys unowned resources of a kind once nobody holds them. */
export const destroy = <Spec>(
  kind: ResourceType<Spec>,
  { concurrency = 1 }: { readonly concurrency?: number } = {},
): Controller =>
  defineController({
    name: `Destroy[${kind.type}]`,
    inputs: { resource: destroyReady(each(kind)) },
    outputs: { resource: shared(kind) },
    concurrency,
    reconcile: ({ inputs: { resource } }) => ({
      destroys: resource.metadata.owner === "" ? [resource] : [],
    }),
  });
