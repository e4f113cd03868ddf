/** The kinds that describe kinds and namespaces, so that any client can list and print them. */
import { z } from "zod";
import { defineResource, type AnyResourceType, type SpecOf } from "../resource.ts";
import { kindNames } from "./aliases.ts";
import { namespaceSpec, resourceDefinitionSpec } from "./proto.ts";

/** Where these kinds live, and who owns what is in it. */
export const META = "meta";

/** A namespace; the id is its name. */
export const Namespace = defineResource({
  type: "Namespaces.meta.cosi.dev",
  namespace: META,
  aliases: ["ns"],
  spec: z.object({ description: z.string() }),
  encoding: { proto: namespaceSpec },
});

/** A kind; the id is its type in lower case. The order of the keys is that of the YAML. */
export const ResourceDefinition = defineResource({
  type: "ResourceDefinitions.meta.cosi.dev",
  namespace: META,
  aliases: ["api-resources"],
  printColumns: [{ name: "Aliases", jsonPath: "{.aliases[:]}" }],
  spec: z.object({
    type: z.string(),
    displayType: z.string(),
    defaultNamespace: z.string(),
    aliases: z.array(z.string()),
    allAliases: z.array(z.string()),
    skipAutomaticAliases: z.literal(true).optional(),
    printColumns: z.array(z.object({ name: z.string(), jsonPath: z.string() })),
    sensitivity: z.literal("sensitive").optional(),
  }),
  encoding: { proto: resourceDefinitionSpec },
});

/**
 * Describes a kind.
 *
 * @throws {RegistrationError} when the type is not of the form `Names.group.domain`
 */
export function definitionOf(kind: AnyResourceType): SpecOf<typeof ResourceDefinition> {
  const { displayType, aliases, allAliases } = kindNames(kind);
  return {
    type: kind.type,
    displayType,
    defaultNamespace: kind.namespace,
    aliases: [...aliases],
    allAliases: [...allAliases],
    printColumns: kind.printColumns.map(({ name, jsonPath }) => ({ name, jsonPath })),
    ...(kind.sensitivity === "sensitive" && { sensitivity: "sensitive" }),
  };
}

/** An alias, or an id, that more than one kind answers to, and their types. */
export interface AliasCollision {
  readonly alias: string;
  readonly types: readonly string[];
}

/**
 * Lists what is ambiguous when a kind is asked for. COSI's rules make such aliases freely (`cs` for
 * every `C…S…`), and clients then ask for more of the name.
 */
export function aliasCollisions(kinds: readonly AnyResourceType[]): readonly AliasCollision[] {
  const types = new Map<string, Set<string>>();
  for (const kind of kinds) {
    for (const alias of [kind.type, ...kindNames(kind).allAliases].map((a) => a.toLowerCase()))
      types.set(alias, (types.get(alias) ?? new Set()).add(kind.type));
  }
  return [...types]
    .filter(([, { size }]) => size > 1)
    .map(([alias, named]) => ({ alias, types: [...named] }));
}
