/** What a join token is good for at an instant, and how one is recognised. */
import { hash } from "node:crypto";
import type { JoinToken } from "#resources";
import { at, type DeepReadonly, type Instant, type SpecOf } from "#runtime";

/** `Spent`: it was good for so many joins, and they were. */
export type TokenState = "Valid" | "Spent" | "Ended" | "Revoked";

/** The state of a token; what cannot come back is told first. */
export function tokenState(
  token: DeepReadonly<SpecOf<typeof JoinToken>>,
  now: Instant,
): TokenState {
  if (token.revoked !== "") return "Revoked";
  if (token.notAfter !== "" && now >= at(token.notAfter)) return "Ended";
  return token.uses > 0 && token.used >= token.uses ? "Spent" : "Valid";
}

/** SHA-256 in lower hex: all that is stored of a token. */
export const tokenHash = (token: string): string => hash("sha256", token, "hex");

/** What stands before the dot: it may be told. */
export const tokenId = (token: string): string => token.slice(0, token.indexOf("."));
