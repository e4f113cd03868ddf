/** What a kind is called: its display type and aliases, derived from its type (cosi.md §1.7). */
import pluralize from "pluralize";
import { RegistrationError } from "../errors.ts";

const NAME = /^[A-Z][A-Za-z0-9-]+$/;
const SUFFIX = /^[a-z][a-z0-9-]+(\.[a-z][a-z0-9-]+)*$/;

/** A rule that Go's port of the package has and the package has not. */
pluralize.addIrregularRule("sms", "sms");

/** The names of a kind. */
export interface KindNames {
  /** The name in the singular. */
  readonly displayType: string;
  readonly aliases: readonly string[];
  /** Those, and the name with more and more of the suffix. */
  readonly allAliases: readonly string[];
}

/** How a kind is declared. */
export interface NamedKind {
  readonly type: string;
  readonly aliases: readonly string[];
  /** Only the explicit aliases count. */
  readonly skipAutomaticAliases?: boolean;
}

/**
 * Derives the names of a kind. Nothing is taken out twice or because another kind has it.
 *
 * @throws {RegistrationError} when the type is not of the form `Names.group.domain`
 */
export function kindNames({ type, aliases, skipAutomaticAliases = false }: NamedKind): KindNames {
  const [name, suffix] = partsOf(type);
  const displayType = pluralize.singular(name);
  if (skipAutomaticAliases) return { displayType, aliases: [...aliases], allAliases: [...aliases] };
  const own = [...aliases, displayType.toLowerCase(), ...abbreviations(name)];
  return { displayType, aliases: own, allAliases: [...qualified(name, suffix), ...own] };
}

function partsOf(type: string): [name: string, suffix: string] {
  const dot = type.indexOf(".");
  if (dot < 0) throw invalid(type, "missing suffix");
  const [name, suffix] = [type.slice(0, dot), type.slice(dot + 1)];
  const problems: readonly (readonly [boolean, string])[] = [
    [name === "", "name is empty"],
    [suffix === "", "suffix is empty"],
    [name.toLowerCase() === name, "name should be in CamelCase"],
    [!NAME.test(name), `name doesn't match ${quotedPattern(NAME)}`],
    [!SUFFIX.test(suffix), `suffix doesn't match ${quotedPattern(SUFFIX)}`],
    [!pluralize.isPlural(name), "name should be plural"],
  ];
  const problem = problems.find(([holds]) => holds);
  if (problem !== undefined) throw invalid(type, problem[1]);
  return [name, suffix];
}

const invalid = (type: string, problem: string) =>
  new RegistrationError(`resource definition ${JSON.stringify(type)}: ${problem}`);

/** As Go quotes a string. */
const quotedPattern = (pattern: RegExp): string => JSON.stringify(pattern.source);

/** `names`, `names.group`, … without the full type, which is the id. */
function qualified(name: string, suffix: string): string[] {
  const groups = suffix.split(".");
  return groups.map((_, count) => [name.toLowerCase(), ...groups.slice(0, count)].join("."));
}

/** The capitals, and their plural. */
function abbreviations(name: string): string[] {
  const capitals = name.replace(/[^A-Z]/g, "");
  if (capitals.length <= 1) return [];
  const short = capitals.toLowerCase();
  return capitals.endsWith("S") ? [short] : [short, `${short}s`];
}
