/**
 * JSONPath of Kubernetes' dialect on plain values, as print columns are written in it.
 *
 * An own evaluator and no library: the common ones speak another dialect. There `$` is required,
 * nothing stands outside braces, an index beyond the end is silently nothing, and filters are
 * JavaScript. Columns come from the server, so nothing here may be able to run code.
 */
import { JsonPathError } from "./errors.ts";
import { compactJson, formatJson } from "./json.ts";
import {
  parseTemplate,
  type Comparison,
  type Filter,
  type Operand,
  type Part,
  type Step,
} from "./json-path-parser.ts";

/** A template that was understood. */
export interface JsonPath {
  readonly parts: readonly Part[];
  /** Whether a key that is not there is nothing, rather than an error. */
  readonly allowMissingKeys: boolean;
}

/** @throws {JsonPathError} when the template is malformed */
export const parseJsonPath = (template: string, allowMissingKeys = true): JsonPath => ({
  parts: parseTemplate(template),
  allowMissingKeys,
});

/**
 * What a column shows: several results joined by a space, objects and lists as compact JSON.
 *
 * @throws {JsonPathError} when an index is out of bounds, or on what is not a list
 */
export function cellOf({ parts, allowMissingKeys }: JsonPath, value: unknown): string {
  return printed(parts, value);

  function printed(some: readonly Part[], from: unknown): string {
    return some
      .map((part) => {
        if ("text" in part) return part.text;
        if ("path" in part) return walk(part.path, from, allowMissingKeys).map(shown).join(" ");
        return walk(part.range, from, allowMissingKeys)
          .map((each) => printed(part.body, each))
          .join("");
      })
      .join("");
  }
}

/**
 * What a template finds, one text for each result: objects and lists as indented JSON, anything else
 * as it is.
 *
 * @throws {JsonPathError} also for a key that is not there, unless those are allowed
 */
export function resultsOf({ parts, allowMissingKeys }: JsonPath, value: unknown): string[] {
  return found(parts, value).map((result) =>
    result !== null && typeof result === "object" ? formatJson(result).trimEnd() : shown(result),
  );

  function found(some: readonly Part[], from: unknown): unknown[] {
    return some.flatMap((part): readonly unknown[] => {
      if ("text" in part) return [part.text];
      if ("path" in part) return walk(part.path, from, allowMissingKeys);
      return walk(part.range, from, allowMissingKeys).flatMap((each) => found(part.body, each));
    });
  }
}

function walk(path: readonly Step[], from: unknown, lenient: boolean): readonly unknown[] {
  let values: readonly unknown[] = [from];
  for (const step of path) values = take(step, values, lenient);
  return values;
}

const shown = (value: unknown): string => {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : compactJson(value);
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

const present = (values: readonly unknown[]) => values.filter((v) => v !== null && v !== undefined);

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new JsonPathError(`${shown(value)} is not array or slice`);
  return value;
}

function take(step: Step, values: readonly unknown[], lenient: boolean): readonly unknown[] {
  switch (step.kind) {
    case "field": {
      const found = values.flatMap((value) =>
        isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [],
      );
      if (found.length === 0 && !lenient) throw new JsonPathError(`${step.name} is not found`);
      return found;
    }
    case "wildcard":
      return present(values).flatMap((value) =>
        Array.isArray(value) || isObject(value) ? Object.values<unknown>(value) : [],
      );
    case "descend":
      return values.flatMap(everything);
    case "union":
      return step.branches.flatMap((branch) => take(branch, values, lenient));
    case "index":
      return present(values).map((value) => element(list(value), step.index));
    case "slice":
      return present(values).flatMap((value) => portion(list(value), step));
    case "filter":
      return present(values).flatMap((value) => list(value).filter((v) => holds(step.filter, v)));
  }
}

function everything(value: unknown): unknown[] {
  const below = Array.isArray(value) || isObject(value) ? Object.values<unknown>(value) : [];
  return [value, ...below.flatMap(everything)];
}

function element(values: readonly unknown[], index: number): unknown {
  const position = index < 0 ? index + values.length : index;
  if (position < 0 || position >= values.length)
    throw new JsonPathError(`array index out of bounds: index ${index}, length ${values.length}`);
  return values[position];
}

function portion(
  values: readonly unknown[],
  { start = 0, end = values.length, step = 1 }: Extract<Step, { kind: "slice" }>,
): readonly unknown[] {
  const from = start < 0 ? start + values.length : start;
  const to = end < 0 ? end + values.length : end;
  if (step <= 0) throw new JsonPathError("step must be > 0");
  if (from === to) return [];
  if (from > to)
    throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
  element(values, from);
  element(values, to - 1);
  return values.slice(from, to).filter((_, i) => i % step === 0);
}

const orders: Readonly<Record<Comparison, (left: number, right: number) => boolean>> = {
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "<=": (left, right) => left <= right,
  ">=": (left, right) => left >= right,
  "<": (left, right) => left < right,
  ">": (left, right) => left > right,
};

function holds({ left, comparison }: Filter, item: unknown): boolean {
  const here = operandValues(left, item);
  if (comparison === undefined) return here.length > 0;
  const there = operandValues(comparison.right, item);
  if (here.length === 0 || there.length === 0) return false;
  if (here.length > 1 || there.length > 1)
    throw new JsonPathError("can only compare one element at a time");
  const [a, b] = [here[0], there[0]];
  if (typeof a !== typeof b) throw new JsonPathError("incompatible types for comparison");
  const order = a === b ? 0 : (a as number | string) < (b as number | string) ? -1 : 1;
  return orders[comparison.operator](order, 0);
}

function operandValues(operand: Operand, item: unknown): readonly unknown[] {
  if ("literal" in operand) return [operand.literal];
  let values: readonly unknown[] = [item];
  for (const step of operand.path) values = take(step, values, true);
  return values;
}
