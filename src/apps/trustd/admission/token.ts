/** Which token is presented, and whether it may be used. */
import { timingSafeEqual } from "node:crypto";
import { isToken } from "#config";
import type { Bounds } from "#pki";
import { at, type Instant } from "#runtime";
import { AdmissionRefusedError, TokenInvalidError, TokenMissingError } from "../errors.ts";
import { tokenHash, tokenId } from "../token-state.ts";
import type { Objection } from "./objection.ts";
import type { JoinTokenSpec, Standing } from "./standing.ts";

/** The name of Talos' shared token. */
export const MACHINE_TOKEN = "machine.token";

/** A token that is right, as it is known here. */
export interface Presented {
  /** {@link MACHINE_TOKEN}, or the id of a join token. */
  readonly name: string;
  /** SHA-256 over it, lower hex. */
  readonly hash: string;
}

/** What a token lets its holder be. */
export interface Grant {
  readonly machineType: "controlplane" | "worker";
  /** Null: all that the policy allows. */
  readonly bounds: Bounds | null;
}

const HASH = /^[0-9a-f]{64}$/;
/** What stands in place of a token that is not there, so that looking for it takes as long. */
const NO_HASH = "0".repeat(64);

/**
 * Recognises a token; every one that it could be is compared, whatever comes of the others.
 *
 * @returns the refusal for one that is none: nothing is thrown for who is refused by the thousand
 */
export function recognise(
  token: string | undefined,
  standing: Standing,
  now: Instant,
): Presented | TokenMissingError | TokenInvalidError {
  if (token === undefined) return missing;
  const shown = tokenHash(token);
  const id = isToken(token) ? tokenId(token) : "";
  const { hash: inForce = "", former = [] } = standing.machineToken() ?? {};
  const machineTokens = [
    inForce,
    ...former.map(({ hash, until }) => (now < at(until) ? hash : "")),
  ].filter((known) => isSame(shown, known));
  const isJoinToken = isSame(shown, standing.joinToken(id)?.spec.hash ?? "");
  if (machineTokens.length > 0) return { name: MACHINE_TOKEN, hash: shown };
  if (isJoinToken) return { name: id, hash: shown };
  return invalid;
}

// Nobody looks at their traces.
const missing = new TokenMissingError();
const invalid = new TokenInvalidError();

function isSame(shown: string, known: string): boolean {
  const isHash = HASH.test(known);
  return timingSafeEqual(Buffer.from(shown), Buffer.from(isHash ? known : NO_HASH)) && isHash;
}

/** What a token that was recognised gives. @throws {AdmissionRefusedError} when there is no such token */
export function grantOf({ name }: Presented, standing: Standing): Grant {
  if (name === MACHINE_TOKEN) return { machineType: "worker", bounds: null };
  const token = standing.joinToken(name)?.spec;
  // It went while the request was under way.
  if (token === undefined) throw new AdmissionRefusedError(isNoMore(name));
  return { machineType: token.machineType, bounds: boundsOf(token) };
}

const boundsOf = ({ bounds }: JoinTokenSpec): Bounds | null =>
  bounds.dnsNames.length + bounds.addresses.length === 0 ? null : bounds;

/** What stands against any use of it, also a repeat of what it was good for. */
export function objectionToToken(
  { name }: Presented,
  standing: Standing,
  now: Instant,
): Objection | undefined {
  if (name === MACHINE_TOKEN) return undefined;
  const resource = standing.joinToken(name);
  if (resource?.metadata.phase !== "running") return isNoMore(name);
  const { revoked, notAfter } = resource.spec;
  if (revoked !== "") return tokenProblem(`${name} was revoked at ${revoked}: ask for another one`);
  if (notAfter !== "" && now >= at(notAfter))
    return tokenProblem(`${name} ended at ${notAfter}: ask for another one`);
  return undefined;
}

/** What stands against one more use. */
export function objectionToUse(presented: Presented, standing: Standing): Objection | undefined {
  const token = standing.joinToken(presented.name)?.spec;
  if (token === undefined || token.uses === 0 || token.used < token.uses) return undefined;
  const times = token.uses === 1 ? "is spent" : `is spent: it was good for ${token.uses} joins`;
  return tokenProblem(`${presented.name} ${times}; ask for another one`);
}

const isNoMore = (name: string) => tokenProblem(`${name} is no more: ask for another one`);

const tokenProblem = (problem: string): Objection => ({ rule: "token", field: "token", problem });
