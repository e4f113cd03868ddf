/**
 * The cases of C2SP's x509-limbo, and what becomes of each here.
 *
 * The file has the fields that the tests read, and no private keys.
 */
import { readFileSync } from "node:fs";
import { readCertificate } from "#pki";
import { at } from "#runtime";
import { CodedError } from "#runtime";
import { verifyChain, type ChainVerdict, type Usage } from "../../../src/pki/verify/index.ts";
import { skips } from "./limbo-skips.ts";

export interface LimboCase {
  readonly id: string;
  readonly validation_kind: "SERVER" | "CLIENT";
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly extended_key_usage: readonly Exclude<Usage, "any">[];
  readonly expected_result: "SUCCESS" | "FAILURE";
  readonly expected_peer_name: { readonly kind: "DNS" | "IP"; readonly value: string } | null;
  readonly max_chain_depth: number | null;
}

const file = new URL("../../fixtures/x509-limbo.json", import.meta.url);
const suite = JSON.parse(readFileSync(file, "utf8")) as { testcases: readonly LimboCase[] };

export const limboCases = suite.testcases;

/** The cases that are decided here. */
export const decided = limboCases.filter(({ id }) => !skips.some(({ ids }) => ids.includes(id)));

const purposes = { SERVER: "serverAuth", CLIENT: "clientAuth" } as const;

/** A certificate that cannot be read is refused before it is verified. */
export type LimboVerdict = ChainVerdict | { valid: false; code: string; reason: string };

/** Verifies a case as it stands; `anyHost` leaves out the name of the peer. */
export async function verdictOf(
  limbo: LimboCase,
  options: { strict: boolean; anyHost?: boolean },
): Promise<LimboVerdict> {
  const { expected_peer_name: peer, max_chain_depth: maxDepth } = limbo;
  const name = peer && (peer.kind === "DNS" ? { dns: peer.value } : { ip: peer.value });
  try {
    const leaf = readCertificate(limbo.peer_certificate, "leaf");
    return await verifyChain({
      leaf,
      intermediates: limbo.untrusted_intermediates.map((pem) => readCertificate(pem, "untrusted")),
      anchors: limbo.trusted_certs.map((pem) => readCertificate(pem, "trusted")),
      now: at(limbo.validation_time ?? "2026-01-01"),
      // Cases that ask for no usage and verify an authority are not about what TLS peers need.
      usage: limbo.extended_key_usage[0] ?? (leaf.isCa ? "any" : purposes[limbo.validation_kind]),
      ...(name && options.anyHost !== true && { name }),
      ...(maxDepth !== null && { maxDepth }),
      strict: options.strict,
    });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { valid: false, code: error.code, reason: error.message };
  }
}
