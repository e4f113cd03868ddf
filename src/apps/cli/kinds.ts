/** Finds the kind that a word means, among the definitions that a server publishes. */
import { parse } from "yaml";
import { z } from "zod";
import { CodedError } from "#runtime";
import type { Printable } from "./output/resource.ts";
import { closest } from "./similar.ts";

/** The word names no kind of that server. */
export class KindNotRegisteredError extends CodedError {
  readonly code = "ERR_KIND_NOT_REGISTERED";
  readonly hint: string | undefined;
  constructor(word: string, hint: string | undefined) {
    super(`resource ${JSON.stringify(word)} is not registered; trustplane get rd lists what is`);
    this.hint = hint;
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
 * @param id what is asked for beside the kind; the two may be in the wrong order
 * @throws {KindNotRegisteredError} {@link KindAmbiguousError}
 * @see talosctl-wire.md §4.1
 */
export function resolveKind(word: string, definitions: readonly Printable[], id?: string): Kind {
  const found = kindsOf(word, definitions.filter(mentions(word)).map(namedKind));
  const [kind] = found;
  if (kind === undefined)
    throw new KindNotRegisteredError(word, hintFor(word, id, definitions.map(namedKind)));
  if (found.length > 1)
    throw new KindAmbiguousError(
      word,
      found.map(({ type }) => type),
    );
  return kind;
}

/** Reading all that there are takes longer than the rest of a command: most do not have the word in them. */
const mentions =
  (word: string) =>
  ({ metadata, yamlSpec }: Printable): boolean =>
    `${metadata.id} ${yamlSpec}`.toLowerCase().includes(word.toLowerCase());

function namedKind({ metadata, yamlSpec }: Printable): NamedKind {
  const { allAliases, printColumns, ...kind } = definition.parse(parse(yamlSpec));
  const names = [metadata.id, ...(allAliases ?? [])].map((name) => name.toLowerCase());
  return { names, kind: { ...kind, printColumns: printColumns ?? [] } };
}

interface NamedKind {
  /** In lower case. */
  readonly names: readonly string[];
  readonly kind: Kind;
}

const kindsOf = (word: string, kinds: readonly NamedKind[]): readonly Kind[] =>
  kinds.filter(({ names }) => names.includes(word.toLowerCase())).map(({ kind }) => kind);

/** What was probably meant by a word that names no kind. */
function hintFor(word: string, id: string | undefined, kinds: readonly NamedKind[]) {
  const [before = "", ...after] = word.split("/");
  const [meant, of] = after.length > 0 ? [before, after.join("/")] : [id ?? "", word];
  if (kindsOf(meant, kinds).length > 0)
    return `KIND first, then ID, without a slash: trustplane get ${meant} ${of}`.trimEnd();
  const close = closest(word, [...new Set(kinds.flatMap(({ names }) => names))]);
  return close.length > 0 ? `did you mean ${close.join(" or ")}?` : undefined;
}
