/** Queries on their way to a server. */
import type { LabelOperation, LabelTerm, Query } from "../../query.ts";
import {
  LabelTerm_Operation as Operation,
  type LabelQuery as WireQuery,
  type LabelTerm as WireTerm,
} from "../../rpc/gen/v1alpha1/resource.ts";

const operations: Readonly<Record<LabelOperation, Operation>> = {
  exists: Operation.EXISTS,
  equal: Operation.EQUAL,
  in: Operation.IN,
  lt: Operation.LT,
  lte: Operation.LTE,
  ltNumeric: Operation.LT_NUMERIC,
  lteNumeric: Operation.LTE_NUMERIC,
};

function wireTerm({ key, op, values = [], invert = false }: LabelTerm): WireTerm {
  // Without a value every operation is false; a server takes only this one without.
  const operation = values.length === 0 && op !== "exists" ? Operation.IN : operations[op];
  return { key, op: operation, value: [...values], invert };
}

/** The label queries of a query; its pattern of ids is a function, and stays here. */
export const wireQueries = (query: Query | undefined): WireQuery[] =>
  (query?.labels ?? []).map((terms) => ({ terms: terms.map(wireTerm) }));
