/** Queries of the wire (cosi.md §2.5, §5.3), as far as the runtime's own go. */
import { UnsupportedError } from "../errors.ts";
import type { LabelTerm, Query } from "../query.ts";
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
 * @throws {UnsupportedError} for operations that compare, and patterns that could run for too long
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

type ReadTerm = (term: WireTerm) => LabelTerm;

const operations: Readonly<Partial<Record<Operation, ReadTerm>>> = {
  [Operation.EXISTS]: ({ key, invert }) => ({ key, op: "exists", invert }),
  [Operation.NOT_EXISTS]: ({ key }) => ({ key, op: "exists", invert: true }),
  [Operation.EQUAL]: ({ key, value, invert }) => ({ key, op: "equal", values: value, invert }),
  [Operation.IN]: ({ key, value, invert }) => ({ key, op: "in", values: value, invert }),
};

function readTerm(term: WireTerm): LabelTerm {
  const read = operations[term.op];
  if (read === undefined)
    throw new UnsupportedError(`label operation ${term.op} is not implemented`);
  if (term.op === Operation.EQUAL && term.value.length === 0)
    throw new InvalidRequestError(`the term on label ${JSON.stringify(term.key)} has no value`);
  return read(term);
}

const PATTERN_UNITS_MAX = 256;
const REPETITIONS_MAX = 3;

/**
 * Clients write Go's RE2, which never backtracks; this engine does. Groups that repeat and patterns
 * with many repetitions could stall the process, so they are refused.
 */
function readPattern(pattern: string): RegExp {
  const repetitions = pattern.match(/[*+?{]/g)?.length ?? 0;
  if (
    pattern.length > PATTERN_UNITS_MAX ||
    repetitions > REPETITIONS_MAX ||
    /\)[*+?{]/.test(pattern)
  )
    throw new UnsupportedError(
      "id patterns that repeat a group or repeat often are not implemented",
    );
  try {
    return new RegExp(pattern, "u");
  } catch (cause) {
    throw new InvalidRequestError(`id pattern ${JSON.stringify(pattern)} does not parse`, {
      cause,
    });
  }
}
