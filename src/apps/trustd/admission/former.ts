/** Which member a node is: shown by the key of an identity certificate, never by what it says. */
import { hash } from "node:crypto";
import {
  commonName,
  defaultSignature,
  fingerprintsOf,
  organizations,
  verifyChain,
  verifySignature,
  type Certificate,
  type Csr,
} from "#pki";
import { instantOf, type Instant } from "#runtime";
import { NODE } from "../../apid/roles.ts";
import type { Objection } from "./objection.ts";
import type { MemberRecordSpec, Standing } from "./standing.ts";

/** A former identity and what shows that its key signed the request. */
export interface Proof {
  readonly certificate: Certificate;
  /** What is signed. */
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

/** The node that an identity certificate is of; undefined for a certificate that is none. */
export const nodeOf = ({ subject }: Certificate): string | undefined =>
  organizations(subject).includes(NODE) ? commonName(subject) : undefined;

/** What is wrong with a proof by itself; it may be by a certificate that has ended. */
export async function flawIn(
  { certificate, data, signature }: Proof,
  nodeId: string,
  anchors: readonly Certificate[],
  now: Instant,
): Promise<Objection | undefined> {
  if (nodeOf(certificate) !== nodeId)
    return flaw("formerCrt", `it is not an identity of the node ${JSON.stringify(nodeId)}`);
  const { notBefore, notAfter, publicKey } = certificate;
  // As if it was looked at while it was good.
  const then = instantOf(Math.max(notBefore, Math.min(now, notAfter)));
  const verdict = await verifyChain({ leaf: certificate, anchors, now: then, usage: "clientAuth" });
  if (!verdict.valid) return flaw("formerCrt", verdict.reason);
  const algorithm = defaultSignature(publicKey.algorithm);
  if (await verifySignature(publicKey, algorithm, data, signature)) return undefined;
  return flaw("formerSignature", "it is not by the key of formerCrt");
}

/** What is wrong with a signature by the key that a node asks for an identity for. */
export async function flawInKeyProof(
  { publicKey }: Csr,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<Objection | undefined> {
  const algorithm = defaultSignature(publicKey.algorithm);
  if (await verifySignature(publicKey, algorithm, data, signature)) return undefined;
  return flaw("formerSignature", "there is no formerCrt, and it is not by the key of identityCsr");
}

/** By what records know a key: SHA-256 over it, lower hex. */
export const keyOf = ({ publicKey }: Pick<Certificate | Csr, "publicKey">): string =>
  hash("sha256", publicKey.spki, "hex");

/** What a node has shown of itself: nothing, an identity, or that it has the key of one. */
export interface Proven {
  readonly former?: Certificate;
  readonly key?: string;
}

const flaw = (field: string, problem: string): Objection => ({
  rule: "proof of the member",
  field,
  problem,
});

/**
 * What stands against a node's being the member of its id. A node that never got the answer to its join
 * has no identity to show; then the key that it asked for one with does.
 */
export function objectionToNode(
  nodeId: string,
  { former, key }: Proven,
  standing: Pick<Standing, "member" | "isDenied" | "isReserved">,
): Objection | undefined {
  if (standing.isReserved(nodeId))
    return flaw(
      "nodeId",
      `${JSON.stringify(nodeId)} is that of a member that does not join by token`,
    );
  if (former !== undefined && standing.isDenied(former))
    return {
      rule: "membership",
      field: "formerCrt",
      problem:
        "this identity was denied, as those of removed members are: reset the node, which then joins as a new one",
    };
  const member = standing.member(nodeId)?.spec;
  if (member === undefined || (former !== undefined && isOf(former, member.identities)))
    return undefined;
  if (key !== undefined && hasKey(member, key, standing)) return undefined;
  return flaw(
    "nodeId",
    `${JSON.stringify(nodeId)} is on record under another key: show the identity that it had last, ` +
      "or remove the member if that is lost",
  );
}

const hasKey = (
  { identities, identityKeys }: MemberRecordSpec,
  key: string,
  { isDenied }: Pick<Standing, "isDenied">,
): boolean => identities.some((one, i) => identityKeys[i] === key && !isDenied(one));

/** Whether a certificate is among those with these fingerprints, however its signature is written. */
export const isOf = (certificate: Certificate, fingerprints: readonly string[]): boolean =>
  fingerprintsOf(certificate).some((one) => fingerprints.includes(one));
