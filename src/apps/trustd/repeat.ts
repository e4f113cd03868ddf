/** Requests that were answered before. */
import { at, type Instant } from "#runtime";
import type { Draft } from "./ledger.ts";

/** The type of the member, and its certificates. */
export type Answered = readonly [
  machineType: string,
  certificates: { readonly servingCrt: string; readonly identityCrt: string },
];

/** The answer that a request had, as long as it is worth something and its member is one. */
export function repeated(
  digest: string,
  nodeId: string,
  { answered, member }: Pick<Draft, "answered" | "member">,
  now: Instant,
): Answered | undefined {
  const found = answered(digest)?.spec;
  const record = member(nodeId)?.spec;
  if (found === undefined || record === undefined || now >= at(found.notAfter)) return undefined;
  return [record.machineType, found];
}
