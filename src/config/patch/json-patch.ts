/** JSON Patch (RFC 6902) on a configuration of one document. */
import { applyPatch, type Operation } from "rfc6902";
import { z } from "zod";
import { ConfigPatchError } from "../errors.ts";
import {
  isTypedList,
  isTypedMap,
  type TypedMap,
  type TypedValue,
  isVerbatim,
  verbatim,
} from "../yaml/read.ts";

/** A JSON patch. */
export interface JsonPatch {
  readonly form: "json-patch";
  readonly operations: readonly Operation[];
}

const pointer = z.string().regex(/^(?:\/(?:[^~]|~[01])*)?$/s);
const operations = z.array(
  z.discriminatedUnion("op", [
    z.object({ op: z.literal("add"), path: pointer, value: z.unknown() }),
    z.object({ op: z.literal("replace"), path: pointer, value: z.unknown() }),
    z.object({ op: z.literal("test"), path: pointer, value: z.unknown() }),
    z.object({ op: z.literal("remove"), path: pointer }),
    z.object({ op: z.literal("move"), path: pointer, from: pointer }),
    z.object({ op: z.literal("copy"), path: pointer, from: pointer }),
  ]),
);

/** Tells whether a patch is a list, as JSON patches are. */
export const isOperations = (typed: readonly TypedValue[]): typed is [readonly TypedValue[]] =>
  typed.length === 1 && isTypedList(typed[0]);

/**
 * Reads operations.
 *
 * @throws {ConfigPatchError} naming the first that is none
 */
export function readJsonPatch(list: readonly TypedValue[], source: string): JsonPatch {
  const read = operations.safeParse(toJson(list));
  if (read.success) return { form: "json-patch", operations: refuseUnreachable(read.data, source) };
  const [issue] = read.error.issues;
  const [index, ...field] = issue?.path ?? [];
  throw new ConfigPatchError(
    `${source}: operation ${Number(index) + 1} is not one of RFC 6902` +
      (field.length > 0 ? `: ${field.join(".")} is missing or not what it can be` : ""),
  );
}

/** Steps that the library leaves out, so that it would change what is above them. */
const UNREACHABLE: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

function refuseUnreachable(list: readonly Operation[], source: string): readonly Operation[] {
  for (const [index, operation] of list.entries()) {
    const steps = [operation.path, "from" in operation ? operation.from : ""].join("").split("/");
    const step = steps.find((each) => UNREACHABLE.has(each));
    if (step !== undefined)
      throw new ConfigPatchError(
        `${source}: operation ${index + 1} names ${step}, which a JSON patch cannot reach: ` +
          "use a strategic merge patch",
      );
  }
  return list;
}

/**
 * Applies operations, all or none.
 *
 * @throws {ConfigPatchError} naming the first that does not apply, without a value of the configuration
 */
export function applyJsonPatch(
  documents: readonly TypedMap[],
  { operations }: JsonPatch,
): readonly TypedMap[] {
  const [document, ...others] = documents;
  if (document === undefined || others.length > 0)
    throw new ConfigPatchError(
      "JSON6902 patches are not supported for multi-document machine configuration",
    );
  const result = { document: toJson(document) };
  const below = (path: string) => `/document${path}`;
  for (const [index, operation] of operations.entries()) {
    const [failure] = applyPatch(result, [
      { ...operation, path: below(operation.path), ...from(operation, below) },
    ]);
    if (failure)
      throw new ConfigPatchError(
        `operation ${index + 1} of the patch, ${operation.op} ${operation.path}: ` +
          (problems[failure.name] ?? "it cannot be done"),
      );
  }
  const after = fromJson(result.document);
  if (!isTypedMap(after))
    throw new ConfigPatchError("the patch leaves no mapping, which a configuration is");
  return [after];
}

const from = (operation: Operation, below: (path: string) => string) =>
  "from" in operation ? { from: below(operation.from) } : {};

const problems: Readonly<Record<string, string>> = {
  MissingError: "the configuration has nothing there",
  TestError: "the configuration has another value there",
};

/** Begins a text that stands for a scalar which is to be written as it was. */
const MARK = "\0";

const toJson = (value: TypedValue): unknown =>
  isVerbatim(value)
    ? MARK + value.source
    : isTypedList(value)
      ? value.map(toJson)
      : isTypedMap(value)
        ? Object.fromEntries(Object.entries(value).map(([key, held]) => [key, toJson(held)]))
        : value;

function fromJson(value: unknown): TypedValue {
  if (typeof value === "string") return value.startsWith(MARK) ? verbatim(value.slice(1)) : value;
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, fromJson(held)]));
  return (value ?? null) as TypedValue;
}
