/**
 * YAML with positions. Scalars keep the text that stands in the file, so that a token of digits stays
 * a token and no number loses a digit; whoever reads a field decides what it is.
 */
import {
  type Alias,
  CST,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  Scalar,
  type YAMLError,
} from "yaml";

/** Where something stands: both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What a document holds: texts, lists, maps, and null where nothing stands. */
export type YamlValue = string | null | readonly YamlValue[] | YamlMap;

/** A mapping; keys are texts. */
export interface YamlMap {
  readonly [key: string]: YamlValue;
}

/** A step down: a key, or an index. */
export type FieldPath = readonly (string | number)[];

/** One document of a file. */
export interface YamlDocument {
  readonly value: YamlValue;
  /** Where a field stands; where it is absent, the nearest one above it. */
  positionOf(path: FieldPath): Position;
}

/** A text is not YAML. The message has no part of the text, which may be a secret. */
export class YamlError extends Error {
  readonly position: Position;
  constructor(problem: string, position: Position) {
    super(problem);
    this.position = position;
  }
}

/** An alias that is used again and again makes a small file large; this is where it stops. */
const NODES_MAX = 100_000;

/**
 * Reads every document of a text; documents that hold nothing are left out.
 *
 * @throws {YamlError} at the first thing that is not YAML
 */
export const readYaml = (text: string): YamlDocument[] =>
  readDocuments(text, textOf) as YamlDocument[];

const VERBATIM = Symbol("verbatim");

/** A scalar of which no natural value can be written back as it stood: `0644`, `1e3`, `~`. */
export interface Verbatim {
  readonly [VERBATIM]: true;
  readonly source: string;
}

/** Makes one. */
export const verbatim = (source: string): Verbatim => ({ [VERBATIM]: true, source });

/** Tells whether a value is to be written as it stood. */
export const isVerbatim = (value: unknown): value is Verbatim =>
  typeof value === "object" && value !== null && VERBATIM in value;

/** What a document holds, told apart as YAML 1.2 does. */
export type TypedValue =
  string | number | boolean | null | Verbatim | readonly TypedValue[] | TypedMap;

/** A mapping of such values. */
export interface TypedMap {
  readonly [key: string]: TypedValue;
}

/**
 * As {@link readYaml}, for who writes it again: texts, numbers, truth and null are told apart.
 *
 * @throws {YamlError} at the first thing that is not YAML
 */
export const readTypedYaml = (text: string): TypedValue[] =>
  readDocuments(text, typedOf).map(({ value }) => value as TypedValue);

function typedOf(scalar: Scalar): string | number | boolean | null | Verbatim {
  const { value, source = "" } = scalar;
  if (typeof value === "string") return value;
  if (value === null) return source === "" || source === "null" ? null : verbatim(source);
  const isNatural = typeof value === "number" || typeof value === "boolean";
  return isNatural && String(value) === source ? value : verbatim(source);
}

interface ReadDocument {
  readonly value: unknown;
  readonly positionOf: YamlDocument["positionOf"];
}

function readDocuments(text: string, leafOf: (scalar: Scalar) => unknown): ReadDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, logLevel: "silent" });
  if (!Array.isArray(documents)) return [];
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  return documents.flatMap((document: Document) => {
    const [error] = document.errors;
    if (error !== undefined) throw failure(text, error, position);
    const root = document.contents;
    if (root === null || (isScalar(root) && root.value === null)) return [];
    const value = converter(document, position, leafOf)(root);
    return [{ value, positionOf: (path) => position(offsetOf(document, root, path)) }];
  });
}

function failure(text: string, error: YAMLError, position: (offset: number) => Position) {
  // The parser complains where it gave up, which may be at the end of the file.
  const bracket = /^Flow (?:map|sequence) /.test(error.message) ? unclosedBracket(text) : undefined;
  return bracket === undefined
    ? new YamlError(problems[error.code] ?? "is not YAML", position(error.pos[0]))
    : new YamlError(
        `the bracket ${bracket.character} that opens here is not closed`,
        position(bracket.offset),
      );
}

const closing: Readonly<Record<string, string>> = { "[": "]", "{": "}" };

/** The innermost bracket that has no counterpart, by the tokens of the text. */
function unclosedBracket(text: string) {
  const open: { readonly character: string; readonly offset: number }[] = [];
  let offset = 0;
  let isContent = false;
  for (const token of new Lexer().lex(text)) {
    const innermost = open.at(-1);
    if (token === CST.FLOW_END && innermost) return innermost;
    if (!isContent && token in closing) open.push({ character: token, offset });
    else if (!isContent && (token === "]" || token === "}") && innermost) {
      if (closing[innermost.character] !== token) return innermost;
      open.pop();
    }
    isContent = token === CST.SCALAR;
    if (!MARKS.has(token)) offset += token.length;
  }
  return open.at(-1);
}

/** Tokens that stand for no character of the text. */
const MARKS: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);

/** What the parser's codes mean; its own messages quote the text. */
const problems: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias cannot have an anchor or a tag",
  BAD_ALIAS: "an alias has no name",
  BAD_COLLECTION_TYPE: "a tag does not fit its collection",
  BAD_DQ_ESCAPE: "a double-quoted text has an escape that does not exist",
  BAD_INDENT: "the indentation does not fit",
  BAD_PROP_ORDER: "an anchor or a tag stands in the wrong place",
  BAD_SCALAR_START: "a plain text cannot start with this character; quote it",
  BLOCK_AS_IMPLICIT_KEY: "a mapping cannot begin on the line of another; check the indentation",
  BLOCK_IN_FLOW: "a block collection cannot stand within brackets",
  DUPLICATE_KEY: "a key stands twice in one mapping",
  IMPOSSIBLE: "is not YAML",
  KEY_OVER_1024_CHARS: "a key is longer than 1024 characters",
  MISSING_CHAR: "a character is missing here: a colon, a quote, a comma or a bracket",
  MULTILINE_IMPLICIT_KEY: "a key spans several lines; is a colon or a quote missing?",
  MULTIPLE_ANCHORS: "a value has two anchors",
  MULTIPLE_DOCS: "another document begins here",
  MULTIPLE_TAGS: "a value has two tags",
  NON_STRING_KEY: "a key is not a text",
  RESOURCE_EXHAUSTION: "is nested too deeply",
  TAB_AS_INDENT: "a tab is used for indentation; use spaces",
  TAG_RESOLVE_FAILED: "a tag does not fit its value",
  UNEXPECTED_TOKEN: "something stands here that does not belong here; check quotes and indentation",
};

function converter(
  document: Document,
  position: (offset: number) => Position,
  leafOf: (scalar: Scalar) => unknown,
) {
  let nodes = 0;
  const targets = new Map<Node, Node | undefined>(); // resolve() walks through the whole document
  const targetOf = (alias: Alias): Node | undefined => {
    if (!targets.has(alias)) targets.set(alias, alias.resolve(document));
    return targets.get(alias);
  };
  const fail = (node: Node, problem: string): never => {
    throw new YamlError(problem, position(node.range?.[0] ?? 0));
  };
  const convert = (node: unknown, below: readonly Node[] = []): unknown => {
    if (isScalar(node)) return leafOf(node);
    const target = isAlias(node) ? targetOf(node) : node;
    if (isAlias(node) && target === undefined) return fail(node, "an alias names no anchor");
    if (isScalar(target)) return leafOf(target);
    if (!isCollection(target)) return null;
    nodes += target.items.length;
    if (nodes > NODES_MAX) return fail(target, "aliases make this document too large");
    if (below.includes(target)) return fail(target, "an alias holds itself");
    const path = [...below, target];
    if (isSeq(target)) return target.items.map((item) => convert(item, path));
    if (!isMap(target)) return null;
    const entries: [string, unknown][] = [];
    for (const { key, value } of target.items) {
      const name = isScalar(key) ? (textOf(key) ?? "") : fail(target, "a key is not a text");
      const held = convert(value, path);
      const merged =
        name === "<<" ? (Array.isArray(held) ? (held as unknown[]) : [held]).filter(isMapping) : [];
      if (merged.length === 0) entries.push([name, held]);
      // The mapping's own keys win, then those of the first that is merged.
      else for (const map of merged) entries.unshift(...Object.entries(map));
    }
    return Object.fromEntries(entries);
  };
  return convert;
}

const textOf = (scalar: Scalar): string | null => {
  if (scalar.value === null && scalar.type !== Scalar.QUOTE_DOUBLE) return null;
  if (typeof scalar.value === "string") return scalar.value;
  return scalar.source ?? String(scalar.value);
};

/** Tells whether a value is a mapping. */
export const isRecord = (value: YamlValue | undefined): value is YamlMap => isMapping(value);

/** Tells whether a typed value is a mapping. */
export const isTypedMap = (value: TypedValue | undefined): value is TypedMap => isMapping(value);

/** Tells whether a typed value is a list. */
export const isTypedList = (value: TypedValue | undefined): value is readonly TypedValue[] =>
  Array.isArray(value);

/** The same with every scalar as a text. */
export const untyped = (value: TypedValue): YamlValue =>
  isTypedList(value)
    ? value.map(untyped)
    : isTypedMap(value)
      ? Object.fromEntries(Object.entries(value).map(([key, held]) => [key, untyped(held)]))
      : isVerbatim(value)
        ? value.source
        : value === null
          ? null
          : String(value);

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isVerbatim(value);

function offsetOf(document: Document, root: Node, path: FieldPath): number {
  let offset = root.range?.[0] ?? 0;
  let node: unknown = root;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    const item = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && textOf(key) === step)
      : isSeq(node)
        ? node.items[Number(step)]
        : undefined;
    if (item === undefined) return offset;
    node = isPair(item) ? item.value : item;
    const start: unknown = isPair(item) ? item.key : item;
    offset = (start as Node).range?.[0] ?? offset;
  }
  return offset;
}
