/** What a join token is good for at an instant, and how one is recognised. */
import { hash } from "node:crypto";
import type { JoinToken } from "#resources";
import { at, type DeepReadonly, type Instant, type SpecOf } from "#runtime";

/** `Spent`: it was good for so many joins, and they were. */
export type TokenState = "Valid" | "Spent" | "Ended" | "Revoked";

/** A time as it is stored; undefined for a damaged text. */
export function timeIn(text: string): Instant | undefined {
  try {
    return at(text);
  } catch {
    return undefined;
  }
}

/** The state of a token; what cannot come back is told first. One with a damaged end has ended. */
export function tokenState(
  token: DeepReadonly<SpecOf<typeof JoinToken>>,
  now: Instant,
): TokenState {
  if (token.revoked !== "") return "Revoked";
  if (token.notAfter !== "" && now >= (timeIn(token.notAfter) ?? now)) return "Ended";
  return token.uses > 0 && token.used >= token.uses ? "Spent" : "Valid";
}

/** SHA-256 in lower hex: all that is stored of a token. */
export const tokenHash = (token: string): string => hash("sha256", token, "hex");

/** What stands before the dot: it may be told. */
export const tokenId = (token: string): string => token.slice(0, token.indexOf("."));
