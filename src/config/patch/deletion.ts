/** `$patch: delete` in a strategic merge patch: what it names is taken away before the rest is merged. */
import { ConfigPatchError } from "../errors.ts";
import {
  isTypedList,
  isTypedMap,
  type TypedMap,
  type TypedValue,
  isVerbatim,
} from "../yaml/read.ts";

/** What is to be taken away. */
export interface Deletion {
  /** Empty for the whole document; the last step may be a list of which an item is meant. */
  readonly path: readonly string[];
  /** Of a list, the first item that has this; the place in the patch is for messages. */
  readonly item?: { readonly key: string; readonly value: string; readonly place: string };
}

/** A patch without its deletions; what is empty without them is undefined. */
export interface Parted {
  readonly rest: TypedMap | undefined;
  readonly deletions: readonly Deletion[];
}

/**
 * Parts a document of a patch into what it takes away and what it adds.
 *
 * @throws {ConfigPatchError} for a deletion within an item of a list, or of an item that is not named
 */
export function partDeletions(document: TypedMap): Parted {
  const deletions: Deletion[] = [];
  const rest = part(document, [], deletions);
  return { rest: isTypedMap(rest) ? rest : undefined, deletions };
}

const isDeletion = (value: TypedValue): value is TypedMap =>
  isTypedMap(value) && value.$patch === "delete";

function part(
  value: TypedValue,
  path: readonly string[],
  deletions: Deletion[],
): TypedValue | undefined {
  if (isDeletion(value)) {
    if (path.some((step) => step.startsWith("[")))
      throw new ConfigPatchError(`cannot delete an inner key in '${path.join(".")}'`);
    deletions.push({ path });
    return undefined;
  }
  if (isTypedMap(value)) {
    const entries = Object.entries(value).flatMap(([key, held]) => {
      const kept = part(held, [...path, key], deletions);
      return kept === undefined ? [] : [[key, kept] as const];
    });
    return emptied(Object.fromEntries(entries), entries.length, Object.keys(value).length);
  }
  if (isTypedList(value)) {
    const items = value.flatMap((held, index) => {
      const place = [...path, `[${index}]`];
      if (isDeletion(held)) deletions.push(deletionOfItem(held, path, place.join(".")));
      const kept = isDeletion(held) ? undefined : part(held, place, deletions);
      return kept === undefined ? [] : [kept];
    });
    return emptied(items, items.length, value.length);
  }
  return value;
}

/** Undefined for what is empty now and was not before. */
const emptied = (value: TypedValue, left: number, before: number): TypedValue | undefined =>
  left === 0 && before > 0 ? undefined : value;

function deletionOfItem(item: TypedMap, path: readonly string[], place: string): Deletion {
  if (path.some((step) => step.startsWith("[")))
    throw new ConfigPatchError(`cannot delete an inner key in '${place}'`);
  const named = Object.entries(item).find(([key]) => key !== "$patch");
  if (named === undefined)
    throw new ConfigPatchError(
      `${place}: $patch: delete in a list stands beside a field of the item that is meant`,
    );
  return { path, item: { key: named[0], value: textOf(named[1]), place } };
}

/** As it stands in the file; what is no scalar equals no other. */
const textOf = (value: TypedValue | undefined): string =>
  isVerbatim(value) ? value.source : typeof value === "object" ? "" : String(value);

/**
 * Takes something away.
 *
 * @param name the document, for messages
 * @throws {ConfigPatchError} when it is not there
 */
export function applyDeletion(document: TypedMap, deletion: Deletion, name: string): TypedMap {
  const result = without(document, deletion.path, deletion.item);
  if (result === undefined || !isTypedMap(result)) {
    const path = deletion.item?.place ?? deletion.path.join(".");
    throw new ConfigPatchError(
      `patch delete: path '${path}' in document '${name}': failed to delete path '${path}': lookup failed`,
    );
  }
  return result;
}

/** What is left; undefined where nothing was there to be deleted. */
function without(
  value: TypedValue | undefined,
  path: readonly string[],
  item: Deletion["item"],
): TypedValue | undefined {
  const [step, ...below] = path;
  if (step === undefined) {
    if (!isTypedList(value) || item === undefined) return undefined;
    const { key, value: wanted } = item;
    const index = value.findIndex((held) => isTypedMap(held) && textOf(held[key]) === wanted);
    return index < 0 ? undefined : value.toSpliced(index, 1);
  }
  if (!isTypedMap(value) || !Object.hasOwn(value, step)) return undefined;
  if (below.length === 0 && item === undefined) {
    const { [step]: _, ...others } = value;
    return others;
  }
  const left = without(value[step], below, item);
  return left === undefined ? undefined : { ...value, [step]: left };
}
