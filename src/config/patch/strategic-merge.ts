/** Strategic merge patches: partial documents that are laid over those of a configuration. */
import { ConfigPatchError, ConfigParseError } from "../errors.ts";
import { checkDocument, documentId, V1ALPHA1 } from "../machine/documents.ts";
import { unknownKeys } from "../machine/rules/unknown-keys.ts";
import { formatPath } from "../problem.ts";
import {
  isTypedList,
  isTypedMap,
  type TypedMap,
  type TypedValue,
  untyped,
  type YamlDocument,
} from "../yaml/read.ts";
import { applyDeletion, type Deletion, partDeletions } from "./deletion.ts";
import { counterpart, isReplaced } from "./list-rules.ts";

/** One document of a patch. */
interface Layer {
  /** As documents are told apart: by kind and name. */
  readonly id: string;
  /** Nothing is added where there is none. */
  readonly rest: TypedMap | undefined;
  readonly deletions: readonly Deletion[];
}

/** A strategic merge patch. */
export interface StrategicMerge {
  readonly form: "strategic-merge";
  readonly layers: readonly Layer[];
}

/**
 * Reads a patch of documents. A document that is of no kind and no version is one of `v1alpha1`.
 *
 * @param documents as the file has them, and the same with scalars told apart
 * @throws {ConfigParseError} {@link UnknownDocumentError} for what no configuration can hold
 * @throws {ConfigPatchError} for a deletion that cannot be
 */
export function readStrategicMerge(
  documents: readonly YamlDocument[],
  typed: readonly TypedValue[],
  source: string,
): StrategicMerge {
  const layers = documents.map((document, index): Layer => {
    const held = typed[index];
    const positionOf: YamlDocument["positionOf"] = (path) => document.positionOf(path);
    // What is no mapping is told by the check.
    if (!isTypedMap(held)) return { id: idOf(document, source), ...nothing };
    const whole = held.kind == null && held.version == null ? { version: V1ALPHA1, ...held } : held;
    const { rest, deletions } = partDeletions(whole);
    const { $patch: _, ...named } = whole;
    const value = untyped(rest ?? named);
    return { id: idOf({ value, positionOf }, source), rest, deletions };
  });
  return { form: "strategic-merge", layers };
}

const nothing = { rest: undefined, deletions: [] };

/** @throws {ConfigParseError} also for a key that is not known, which nobody would find otherwise */
function idOf(document: YamlDocument, source: string): string {
  const checked = checkDocument(document, source);
  const lines = [...unknownKeys(checked)].map((path) => {
    const { line, column } = document.positionOf(path);
    return `${source}:${line}:${column}: ${formatPath(path)}: unknown key`;
  });
  if (lines.length > 0) throw new ConfigParseError(lines.join("\n"));
  return documentId(checked);
}

/**
 * Lays a patch over documents.
 *
 * @throws {ConfigPatchError} when it does not fit what is there
 */
export function applyStrategicMerge(
  documents: readonly TypedMap[],
  { layers }: StrategicMerge,
): readonly TypedMap[] {
  let result = documents;
  for (const layer of layers) {
    const at = result.findIndex((document) => idOfTyped(document) === layer.id);
    const before = result[at];
    if (before === undefined && layer.deletions.length > 0) throw notThere(layer);
    const isWhole = layer.deletions.some(({ path }) => path.length === 0);
    if (isWhole && layer.id === V1ALPHA1)
      throw new ConfigPatchError("can't delete the root of the legacy document");
    const name = `v1alpha1/${layer.id}`.replace("v1alpha1/v1alpha1", "/v1alpha1");
    if (before === undefined) result = [...result, ...(layer.rest ? [layer.rest] : [])];
    else if (isWhole) result = result.toSpliced(at, 1);
    else {
      const left = layer.deletions.reduce((held, each) => applyDeletion(held, each, name), before);
      const above = layer.id === V1ALPHA1 ? "" : (layer.id.split("/", 1)[0] ?? "");
      const after = layer.rest === undefined ? left : merge(left, layer.rest, above);
      result = result.with(at, after as TypedMap);
    }
  }
  return result;
}

const notThere = ({ id }: Layer) =>
  new ConfigPatchError(`patch delete: the configuration has no document ${id}: lookup failed`);

/** As {@link documentId}. */
function idOfTyped({ kind, name }: TypedMap): string {
  if (typeof kind !== "string") return V1ALPHA1;
  return typeof name === "string" && name !== "" ? `${kind}/${name}` : kind;
}

/** Go's empty values, which are the same as nothing there; false is none of them. */
const isNothing = (value: TypedValue): boolean => value === null || value === "" || value === 0;

function merge(left: TypedValue | undefined, right: TypedValue, path: string): TypedValue {
  if (left === undefined || left === null) return right;
  if (isNothing(right)) return left;
  if (isReplaced(path)) return right;
  if (isTypedMap(left) && isTypedMap(right)) {
    const merged = new Map(Object.entries(left)); // a key may be __proto__
    for (const [key, value] of Object.entries(right))
      merged.set(key, merge(merged.get(key), value, path === "" ? key : `${path}.${key}`));
    return Object.fromEntries(merged);
  }
  if (isTypedList(left) && isTypedList(right)) return append(left, right, path);
  if (shapeOf(left) !== shapeOf(right))
    throw new ConfigPatchError(
      `${path}: the configuration has ${shapeOf(left)} here, and the patch ${shapeOf(right)}`,
    );
  return right;
}

function append(left: readonly TypedValue[], right: readonly TypedValue[], path: string) {
  return right.reduce<readonly TypedValue[]>((list, item) => {
    const at = counterpart(path, list, item);
    return at < 0 ? [...list, item] : list.with(at, merge(list[at], item, `${path}[]`));
  }, left);
}

const shapeOf = (value: TypedValue): string =>
  isTypedMap(value) ? "a mapping" : isTypedList(value) ? "a list" : "a single value";
