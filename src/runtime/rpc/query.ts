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
 * @throws {UnsupportedError} for operations that compare, and patterns beyond the simple ones
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
const OPTIONAL_MAX = 3;

/** An anchor; or a single character or class, and how often it stands there. */
const token =
  /[$^]|(?<atom>\.|\\[!-/:-@[-`{-~dDwWsS]|\[\^?(?:\\[!-/:-@[-`{-~dDwWsS]|[^\\[\]])+\]|[^\\^$.|?*+()[{])(?<times>[*+?]\??|\{\d{1,3}(?:,\d{0,3})?\}\??)?/suy;

/** Punctuation that is escaped, or means nothing, as an escape that this engine knows. */
const literal = (text: string): string =>
  text.replace(/\\([^dDwWsS])|^[\]}]/gu, (found) => {
    const code = found.codePointAt(found.length - 1) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });

/**
 * Clients write Go's RE2, which never backtracks; this engine does. Only patterns for which that
 * costs little are read: characters and classes in a row, one of them any number of times.
 */
function readPattern(pattern: string): RegExp {
  if (pattern.length > PATTERN_UNITS_MAX)
    throw new UnsupportedError(
      `id patterns of more than ${PATTERN_UNITS_MAX} characters are not implemented`,
    );
  let source = "";
  let [ranges, optional] = [0, 0];
  for (let at = 0; at < pattern.length; at = token.lastIndex) {
    token.lastIndex = at;
    const found = token.exec(pattern);
    if (found === null) throw unsupported(pattern, at);
    const { atom = found[0], times = "" } = found.groups ?? {};
    if (times.startsWith("?")) optional++;
    else if (/^[*+]|,/.test(times)) ranges++;
    if (ranges > 1 || optional > OPTIONAL_MAX) throw unsupported(pattern, at);
    source += literal(atom) + times;
  }
  try {
    return new RegExp(source, "u");
  } catch (cause) {
    throw new InvalidRequestError(`id pattern ${JSON.stringify(pattern)} does not parse`, {
      cause,
    });
  }
}

const unsupported = (pattern: string, at: number): UnsupportedError =>
  new UnsupportedError(
    `id pattern ${JSON.stringify(pattern)}: what stands at character ${at + 1} is not implemented; ` +
      `use characters, classes, ^ and $, one repetition like * + or {1,3}, and ? up to ` +
      `${OPTIONAL_MAX} times, but no groups and no alternatives`,
  );
