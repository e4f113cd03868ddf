/** Finds the kind that a word means, among the definitions that a server publishes. */
import { parse } from "yaml";
import { z } from "zod";
import { CodedError } from "#runtime";
import type { Printable } from "./output/resource.ts";

/** The word names no kind of that server. */
export class KindNotRegisteredError extends CodedError {
  readonly code = "ERR_KIND_NOT_REGISTERED";
  constructor(word: string) {
    super(`resource ${JSON.stringify(word)} is not registered; trustplane get rd lists what is`);
  }
}

/** The word names several kinds. */
export class KindAmbiguousError extends CodedError {
  readonly code = "ERR_KIND_AMBIGUOUS";
  constructor(word: string, types: readonly string[]) {
    super(`resource type ${JSON.stringify(word)} is ambiguous: [${types.join(" ")}]`);
  }
}

/** Where the definitions are. */
export const DEFINITIONS = { namespace: "meta", type: "ResourceDefinitions.meta.cosi.dev" };

const definition = z.object({
  type: z.string(),
  displayType: z.string(),
  defaultNamespace: z.string(),
  allAliases: z.array(z.string()).nullish(),
  printColumns: z.array(z.object({ name: z.string(), jsonPath: z.string() })).nullish(),
});

/** What the client needs to know about a kind. */
export interface Kind {
  readonly type: string;
  readonly displayType: string;
  readonly defaultNamespace: string;
  readonly printColumns: readonly { readonly name: string; readonly jsonPath: string }[];
}

/**
 * Resolves a full type or an alias, whatever its case.
 *
 * @throws {KindNotRegisteredError} {@link KindAmbiguousError}
 * @see talosctl-wire.md §4.1
 */
export function resolveKind(word: string, definitions: readonly Printable[]): Kind {
  const wanted = word.toLowerCase();
  const found = definitions.flatMap(({ metadata, yamlSpec }) => {
    const { allAliases, printColumns, ...kind } = definition.parse(parse(yamlSpec));
    const names = [metadata.id, ...(allAliases ?? [])];
    return names.some((name) => name.toLowerCase() === wanted)
      ? [{ ...kind, printColumns: printColumns ?? [] }]
      : [];
  });
  const [kind] = found;
  if (kind === undefined) throw new KindNotRegisteredError(word);
  if (found.length > 1)
    throw new KindAmbiguousError(
      word,
      found.map(({ type }) => type),
    );
  return kind;
}
