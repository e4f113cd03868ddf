/** Writes the definitions of kinds and the namespaces into a store. */
import type { AnyResourceType, ResourceType } from "../resource.ts";
import type { Store } from "../store/state.ts";
import { definitionOf, META, Namespace, ResourceDefinition } from "./kinds.ts";

const META_DESCRIPTION = "Metadata about resource definitions and namespaces.";

/**
 * Makes kinds and namespaces known to clients of a store, the ones that describe them included. What
 * is there and the same is not written.
 *
 * @param namespaces descriptions by name
 * @throws {RegistrationError} when a type is not of the form `Names.group.domain`; nothing is written
 */
export async function registerKinds(
  store: Store,
  kinds: readonly AnyResourceType[],
  namespaces: Readonly<Record<string, string>>,
): Promise<void> {
  const definitions = [ResourceDefinition, Namespace, ...kinds].map(definitionOf);
  const described = { [META]: META_DESCRIPTION, ...namespaces };
  for (const [name, description] of Object.entries(described))
    await put(store, Namespace, name, { description });
  for (const definition of definitions)
    await put(store, ResourceDefinition, definition.type.toLowerCase(), definition);
}

async function put<Spec>(store: Store, kind: ResourceType<Spec>, id: string, spec: Spec) {
  const initial = spec as Parameters<typeof store.create<Spec>>[2];
  await store.modify(kind, id, () => spec, { owner: META, initial });
}
