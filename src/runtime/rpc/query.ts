/** Queries of the wire (cosi.md §2.5, §5.3). */
import { RE2JS, RE2JSException } from "re2js";
import { UnsupportedError } from "../errors.ts";
import type { IdPattern, LabelOperation, LabelTerm, Query } from "../query.ts";
import {
  LabelTerm_Operation as Operation,
  type IDQuery,
  type LabelQuery as WireLabelQuery,
  type LabelTerm as WireTerm,
} from "./gen/v1alpha1/resource.ts";
import { InvalidRequestError } from "./status.ts";

/**
 * Reads the label and id queries of a request.
 *
 * @throws {InvalidRequestError} for a term without a value and a pattern that does not parse
 * @throws {UnsupportedError} for an operation that nobody knows, and patterns that are too long
 */
export function readQuery(
  labels: readonly WireLabelQuery[],
  id: IDQuery | undefined,
): Query | undefined {
  const pattern = id?.regexp ?? "";
  if (labels.length === 0 && pattern === "") return undefined;
  return {
    ...(labels.length > 0 && { labels: labels.map(({ terms }) => terms.map(readTerm)) }),
    ...(pattern !== "" && { id: readPattern(pattern) }),
  };
}

/** Negation apart, what an operation of the wire is here (cosi.md §5.3). */
const operations: Readonly<Partial<Record<Operation, LabelOperation>>> = {
  [Operation.EXISTS]: "exists",
  [Operation.EQUAL]: "equal",
  [Operation.NOT_EXISTS]: "exists",
  [Operation.IN]: "in",
  [Operation.LT]: "lt",
  [Operation.LTE]: "lte",
  [Operation.LT_NUMERIC]: "ltNumeric",
  [Operation.LTE_NUMERIC]: "lteNumeric",
};

function readTerm({ key, op, value, invert }: WireTerm): LabelTerm {
  const operation = operations[op];
  if (operation === undefined)
    throw new UnsupportedError(`label operation ${op} is not implemented`);
  if (operation === "exists")
    return { key, op: operation, invert: op === Operation.NOT_EXISTS || invert };
  if (operation !== "in" && value.length === 0)
    throw new InvalidRequestError(`the term on label ${JSON.stringify(key)} has no value`);
  return { key, op: operation, values: value, invert };
}

/** A pattern costs memory by its length, and what matches it time; nobody writes longer ones. */
const PATTERN_UNITS_MAX = 1024;

/** Reads a pattern of Go's syntax, for an engine that never goes back (cosi.md §2.5). */
function readPattern(pattern: string): IdPattern {
  if (pattern.length > PATTERN_UNITS_MAX)
    throw new UnsupportedError(
      `id patterns of more than ${PATTERN_UNITS_MAX} characters are not implemented`,
    );
  try {
    const compiled = RE2JS.compile(pattern);
    return { test: (id) => compiled.test(id) };
  } catch (cause) {
    const problem = cause instanceof RE2JSException ? cause.message : "it does not parse";
    throw new InvalidRequestError(`id pattern ${JSON.stringify(pattern)}: ${problem}`, { cause });
  }
}
