/**
 * YAML with positions. Scalars keep the text that stands in the file, so that a token of digits stays
 * a token and no number loses a digit; whoever reads a field decides what it is.
 */
import {
  CST,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type Scalar,
  type YAMLError,
} from "yaml";
import { type Position, YamlError } from "./error.ts";
import { DEPTH_MAX, keyOf, type Outline, outlineOf, textOf } from "./outline.ts";

export { YamlError, type Position };

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

/** An alias that is used again and again makes a small file large; this is where it stops, for a file. */
const VALUES_MAX = 100_000;

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

/** Makes a text that would keep the parser busy for long end early; {@link VALUES_MAX} need fewer. */
const TOKENS_MAX = 500_000;

function refuseTokens(text: string): void {
  let [tokens, offset] = [0, 0];
  for (const token of new Lexer().lex(text)) {
    if (!MARKS.has(token)) offset += token.length;
    tokens += 1;
    if (tokens <= TOKENS_MAX) continue;
    const line = text.slice(0, offset).split("\n").length;
    throw new YamlError("the text has too many parts to be read", { line, column: 1 });
  }
}

function readDocuments(text: string, leafOf: (scalar: Scalar) => unknown): ReadDocument[] {
  refuseTokens(text);
  const lines = new LineCounter();
  // Its own search for keys that stand twice compares each with each: the outline has a better one.
  const options = { lineCounter: lines, logLevel: "silent", uniqueKeys: false } as const;
  const documents = parseAllDocuments(text, options);
  if (!Array.isArray(documents)) return [];
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const fail = (node: Node, problem: string): never => {
    throw new YamlError(problem, position(node.range?.[0] ?? 0));
  };
  const count = { aliases: 0, values: 0 }; // of the file: documents are as cheap to write as lists
  return documents.flatMap((document: Document) => {
    const [error] = document.errors;
    if (error !== undefined) throw failure(text, error, position);
    const root = document.contents;
    if (root === null || (isScalar(root) && root.value === null)) return [];
    const outline = outlineOf(root, count, fail);
    const value = converter(outline, count, fail, leafOf)(root);
    return [{ value, positionOf: (path) => position(offsetOf(outline, root, path)) }];
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
  { targetOf }: Outline,
  count: { aliases: number; values: number },
  fail: (node: Node, problem: string) => never,
  leafOf: (scalar: Scalar) => unknown,
) {
  const convert = (node: unknown, below: readonly Node[] = []): unknown => {
    if (isScalar(node)) return leafOf(node);
    const target = isAlias(node) ? targetOf(node) : node;
    if (isAlias(node) && target === undefined) return fail(node, "an alias names no anchor");
    if (isScalar(target)) return leafOf(target);
    if (!isCollection(target)) return null;
    count.values += target.items.length;
    if (count.values > VALUES_MAX)
      return fail(
        target,
        count.aliases > 0
          ? "aliases make this document too large"
          : `this is more than ${VALUES_MAX} values`,
      );
    if (below.length > DEPTH_MAX) return fail(target, "is nested too deeply");
    if (below.includes(target)) return fail(target, "an alias holds itself");
    const path = [...below, target];
    if (isSeq(target)) return target.items.map((item) => convert(item, path));
    if (!isMap(target)) return null;
    const entries: [string, unknown][] = [];
    for (const { key, value } of target.items) {
      const name = isScalar(key) ? keyOf(key) : fail(target, "a key is not a text");
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

function offsetOf({ targetOf, entryOf }: Outline, root: Node, path: FieldPath): number {
  let offset = root.range?.[0] ?? 0;
  let node: unknown = root;
  for (const step of path) {
    if (isAlias(node)) node = targetOf(node);
    const entry = isMap(node) ? entryOf(node, String(step)) : undefined;
    const item: unknown = isSeq(node) ? node.items[Number(step)] : entry?.value;
    const start = isSeq(node) ? item : entry?.key;
    if (start === undefined) return offset;
    node = item;
    offset = (start as Node).range?.[0] ?? offset;
  }
  return offset;
}
