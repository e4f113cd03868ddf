/**
 * Label and id queries (cosi.md §2.5): terms are joined by AND, queries by OR.
 */
import type { Metadata } from "./resource.ts";

/** What a term asks of a label. */
export type LabelOperation = "exists" | "equal" | "in" | Comparison;

/** By UTF-8 bytes, or by amount: `10kg`, `5GiB`, `-1 k`. */
type Comparison = "lt" | "lte" | "ltNumeric" | "lteNumeric";

/**
 * One condition on a label; `invert` flips its result. A comparison of what is not there, or is no
 * number, is neither true nor false: it does not match, inverted or not.
 */
export interface LabelTerm {
  readonly key: string;
  readonly op: LabelOperation;
  /** All operations but `exists` and `in` look at the first only. */
  readonly values?: readonly string[];
  readonly invert?: boolean;
}

/** Terms that must all hold. */
export type LabelQuery = readonly LabelTerm[];

/** A test of ids: a regular expression is one. Called often, so it must be quick. */
export interface IdPattern {
  test(id: string): boolean;
}

export interface Query {
  /** Any of these must hold; none given matches everything. */
  readonly labels?: readonly LabelQuery[];
  /** A regular expression is unanchored. */
  readonly id?: IdPattern;
}

/** Nothing when the label and the value cannot be compared. */
type Compare = (label: string, value: string) => boolean | undefined;

const numeric =
  (fits: (label: bigint, value: bigint) => boolean): Compare =>
  (label, value) => {
    const [left, right] = [amountOf(label), amountOf(value)];
    return left === undefined || right === undefined ? undefined : fits(left, right);
  };

const comparisons: Readonly<Record<Comparison, Compare>> = {
  lt: (label, value) => compareUtf8(label, value) < 0,
  lte: (label, value) => compareUtf8(label, value) <= 0,
  ltNumeric: numeric((label, value) => label < value),
  lteNumeric: numeric((label, value) => label <= value),
};

const isComparison = (op: LabelOperation): op is Comparison => Object.hasOwn(comparisons, op);

function holds({ key, op, values = [], invert = false }: LabelTerm, labels: Metadata["labels"]) {
  const label = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const result = isComparison(op) ? compared(op, label, values[0]) : found(op, label, values);
  return result !== undefined && result !== invert;
}

const found = (
  op: Exclude<LabelOperation, Comparison>,
  label: string | undefined,
  values: readonly string[],
): boolean =>
  label !== undefined &&
  (op === "exists" || (op === "equal" ? values[0] === label : values.includes(label)));

function compared(op: Comparison, label: string | undefined, value: string | undefined) {
  if (value === undefined) return false;
  return label === undefined ? undefined : comparisons[op](label, value);
}

const powers: Readonly<Record<string, bigint>> = {
  ...{ ki: 1n << 10n, mi: 1n << 20n, gi: 1n << 30n, ti: 1n << 40n, pi: 1n << 50n },
  ...{ k: 10n ** 3n, m: 10n ** 6n, g: 10n ** 9n, t: 10n ** 12n, p: 10n ** 15n },
  "": 1n,
};
const INT64_MAX = (1n << 63n) - 1n;

/** The number that a text means, with its unit; nothing when it means none. */
export function amountOf(text: string): bigint | undefined {
  const { digits = "", unit = "" } =
    /^(?<digits>[0-9-]*)(?<unit>.*)$/su.exec(text.trim())?.groups ?? {};
  if (!/^-?[0-9]+$/.test(digits)) return undefined;
  const number = BigInt(digits);
  if (number > INT64_MAX || number < -INT64_MAX - 1n) return undefined;
  const letters = unit.trim().toLowerCase();
  const power = powers[letters.slice(0, 2)] ?? powers[letters.slice(0, 1)];
  return power === undefined ? undefined : number * power;
}

/** Tells whether a resource belongs to the answer of a query. */
export function matches(query: Query | undefined, { id, labels }: Metadata): boolean {
  if (query === undefined) return true;
  if (query.id instanceof RegExp) query.id.lastIndex = 0; // what it found before is of no account
  if (query.id !== undefined && !query.id.test(id)) return false;
  const queries = query.labels ?? [];
  return queries.length === 0 || queries.some((terms) => terms.every((t) => holds(t, labels)));
}

/** Orders by the UTF-8 bytes of the id, as COSI does; UTF-16 order differs beyond the BMP. */
export function byId(left: { metadata: Metadata }, right: { metadata: Metadata }): number {
  return compareUtf8(left.metadata.id, right.metadata.id);
}

/** Compares two strings by code point, which is the order of their UTF-8 bytes. */
export function compareUtf8(left: string, right: string): number {
  for (let i = 0; i < left.length && i < right.length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return left.length - right.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
