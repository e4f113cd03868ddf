/** Path validation, RFC 5280 §6, as far as authorities like Talos' need it: no revocation, no policies. */
import { instantOf, seconds, type Instant } from "#runtime";
import type { Certificate } from "../certificate.ts";
import type { HostName } from "./names.ts";
import { PathSearch } from "./path.ts";
import type { Usage } from "./usage.ts";
import type { ChainVerdict } from "./verdict.ts";

const DEPTH_MAX = 8;

/** What is verified, against what. */
export interface ChainRequest {
  readonly leaf: Certificate;
  /** Certificates that may help to find a path; nothing in them is believed unproven. */
  readonly intermediates?: readonly Certificate[];
  /** Accepted authorities; they need not be self-signed. One that is the leaf itself will do. */
  readonly anchors: readonly Certificate[];
  readonly now: Instant;
  /** Default `any`: extKeyUsage is not looked at. */
  readonly usage?: Usage;
  /** The host that the leaf has to be for. */
  readonly name?: HostName;
  /** The most intermediates, self-issued ones not counted; default 8. */
  readonly maxDepth?: number;
  /**
   * Also ask for what RFC 5280 §4 obliges issuers to: criticality, key identifiers, serial numbers,
   * names. Talos' own aggregator authority, which has no subject, does not pass.
   */
  readonly strict?: boolean;
}

/**
 * Tells whether a certificate is good for its purpose now, under one of the accepted authorities.
 *
 * @returns the chain, leaf first and anchor last, or the fault that tells most
 * @see RFC 5280 §6.1, RFC 6125 §6.4
 */
export async function verifyChain(request: ChainRequest): Promise<ChainVerdict> {
  const { leaf, intermediates = [], anchors, now, usage = "any", name } = request;
  const { maxDepth = DEPTH_MAX, strict = false } = request;
  // Dates of certificates are whole seconds, and both ends belong to a validity.
  const second = instantOf(Math.floor(now / seconds(1)) * seconds(1));
  const demands = { now: second, usage, maxDepth, strict, ...(name && { name }) };
  return new PathSearch(intermediates, anchors, demands).run(leaf);
}
