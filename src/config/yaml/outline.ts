/**
 * What the aliases and keys of a document are, found in one pass: the parser's own ways walk through
 * the whole document for each alias, and through the whole mapping for each key.
 */
import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, Scalar, type YAMLMap } from "yaml";

/** No configuration that people write has so many aliases in one file. */
const ALIASES_MAX = 1000;

/** Deeper than anything that means something, and not so deep that the stack ends. */
export const DEPTH_MAX = 500;

/** How many aliases the documents of one file have so far. */
export interface AliasCount {
  aliases: number;
}

/** Looks things up in one document, each at the same cost wherever it stands. */
export interface Outline {
  /** What an alias stands for; undefined where no anchor before it has its name. */
  readonly targetOf: (alias: Alias) => Node | undefined;
  /** A key of a mapping, and what it holds. */
  readonly entryOf: (map: YAMLMap, key: string) => Entry | undefined;
}

/** A key with its value, each as it stands in the file. */
export interface Entry {
  readonly key: Scalar;
  readonly value: unknown;
}

/**
 * Walks through a document once.
 *
 * @param count is added to
 * @param fail is told of too many aliases, keys that stand twice and nesting that is too deep
 */
export function outlineOf(
  root: Node,
  count: AliasCount,
  fail: (node: Node, problem: string) => never,
): Outline {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  const maps = new Map<YAMLMap, ReadonlyMap<string, Entry>>();
  const visit = (node: unknown, depth: number): void => {
    if (isAlias(node)) {
      count.aliases += 1;
      if (count.aliases > ALIASES_MAX) fail(node, `this is more than ${ALIASES_MAX} aliases`);
      targets.set(node, anchors.get(node.source));
      return;
    }
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return;
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (isScalar(node)) return;
    if (depth > DEPTH_MAX) fail(node, "is nested too deeply");
    if (isSeq(node)) for (const item of node.items) visit(item, depth + 1);
    if (!isMap(node)) return;
    maps.set(node, entriesOf(node, fail));
    for (const { key, value } of node.items) {
      visit(key, depth + 1);
      visit(value, depth + 1);
    }
  };
  visit(root, 1);
  return {
    targetOf: (alias) => targets.get(alias),
    entryOf: (map, key) => maps.get(map)?.get(key),
  };
}

function entriesOf(
  map: YAMLMap,
  fail: (node: Node, problem: string) => never,
): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { key, value } of map.items) {
    if (!isScalar(key)) continue;
    const name = keyOf(key);
    if (entries.has(name)) fail(key, "a key stands twice in one mapping");
    entries.set(name, { key, value });
  }
  return entries;
}

/** What a mapping has a key as. */
export const keyOf = (key: Scalar): string => textOf(key) ?? "";

/** A scalar as it stands in the file; null where nothing does. */
export const textOf = (scalar: Scalar): string | null => {
  if (scalar.value === null && scalar.type !== Scalar.QUOTE_DOUBLE) return null;
  if (typeof scalar.value === "string") return scalar.value;
  return scalar.source ?? String(scalar.value);
};
