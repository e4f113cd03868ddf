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
  const definitions = withoutCollisions([ResourceDefinition, Namespace, ...kinds]);
  const described = { [META]: META_DESCRIPTION, ...namespaces };
  for (const [name, description] of Object.entries(described))
    await put(store, Namespace, name, { description });
  for (const definition of definitions)
    await put(store, ResourceDefinition, definition.type.toLowerCase(), definition);
}

/**
 * An alias that several kinds would have resolves to none of them, so it is left to the kind that
 * names it itself, and to nobody where none does (talosctl-wire.md §4.2).
 */
function withoutCollisions(kinds: readonly AnyResourceType[]) {
  const definitions = kinds.map(definitionOf);
  const holders = new Map<string, number>();
  for (const { allAliases } of definitions)
    for (const alias of new Set(allAliases)) holders.set(alias, (holders.get(alias) ?? 0) + 1);
  return definitions.map((definition, index) => {
    const named = kinds[index]?.aliases ?? [];
    // Named and derived, a contested alias would stand there twice.
    const mine = (alias: string, place: number, list: readonly string[]) =>
      holders.get(alias) === 1 || (named.includes(alias) && list.indexOf(alias) === place);
    return {
      ...definition,
      aliases: definition.aliases.filter(mine),
      allAliases: definition.allAliases.filter(mine),
    };
  });
}

async function put<Spec>(store: Store, kind: ResourceType<Spec>, id: string, spec: Spec) {
  const initial = spec as Parameters<typeof store.create<Spec>>[2];
  await store.modify(kind, id, () => spec, { owner: META, initial });
}
