/**
 * Label and id queries (cosi.md §2.5): terms are joined by AND, queries by OR.
 * This first cut has the terms Exists, Equal and In; the comparing ones join with the full COSI set.
 */
import type { Metadata } from "./resource.ts";

/** One condition on a label; `invert` flips its result. */
export interface LabelTerm {
  readonly key: string;
  readonly op: "exists" | "equal" | "in";
  readonly values?: readonly string[];
  readonly invert?: boolean;
}

/** Terms that must all hold. */
export type LabelQuery = readonly LabelTerm[];

export interface Query {
  /** Any of these must hold; none given matches everything. */
  readonly labels?: readonly LabelQuery[];
  /** Unanchored regular expression on the id. */
  readonly id?: RegExp;
}

const holds = (term: LabelTerm, labels: Metadata["labels"]): boolean => {
  const label = Object.hasOwn(labels, term.key) ? labels[term.key] : undefined;
  const values = term.values ?? [];
  const result =
    label !== undefined &&
    (term.op === "exists" || (term.op === "equal" ? values[0] === label : values.includes(label)));
  return result !== (term.invert ?? false);
};

/** Tells whether a resource belongs to the answer of a query. */
export function matches(query: Query | undefined, { id, labels }: Metadata): boolean {
  if (query === undefined) return true;
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
