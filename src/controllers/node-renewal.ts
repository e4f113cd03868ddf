/** When a node that joins by token asks for new certificates, and why. */
import {
  type Certificate,
  commonName,
  type KeyedPem,
  readKeyed,
  renewAt,
  sameName,
  signedBy,
} from "#pki";
import { after, earliest, type Instant } from "#runtime";
import { type NodeHolding } from "./node-trust.ts";
import { isUsable } from "./readable.ts";

/** Why what is held does not do. */
export type AskReason =
  | "missing"
  | "authorities changed"
  | "issuer not accepted"
  | "names changed"
  | "not yet valid"
  | "ended"
  | "due";

/** The names that a serving certificate is to have, addresses in canonical text. */
export interface NodeNames {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** What {@link judgeHolding} finds. */
export interface Judgement {
  /** Null: what is held will do until `renewAt`. */
  readonly reason: AskReason | null;
  /** By this node's clock; null when both end with their authority. */
  readonly renewAt: Instant | null;
}

/**
 * Looks whether what a node holds will do. It is judged by the clock of who signed it, as far as that is
 * known: a clock that was set, forward or back, is put right by the next answer, and not by one request
 * after the other.
 */
export async function judgeHolding(
  held: NodeHolding,
  wanted: {
    readonly names: NodeNames;
    readonly trusted: readonly Certificate[];
    /** What the configuration accepts, by fingerprint. */
    readonly accepted: readonly string[];
    readonly now: Instant;
  },
): Promise<Judgement> {
  const leaves = leavesOf(held);
  if (leaves === undefined) return asking("missing");
  if (!isSameList(held.acceptedThen, wanted.accepted)) return asking("authorities changed");
  const [serving] = leaves;
  if (!hasNames(serving, wanted.names)) return asking("names changed");
  const skew = held.peerSkew ?? 0;
  const now = after(wanted.now, skew);
  const renewals: (Instant | null)[] = [];
  for (const leaf of leaves) {
    const issuer = await issuerOf(leaf, wanted.trusted);
    if (issuer === undefined) return asking("issuer not accepted");
    // A clock that is behind the authority's own beginning is wrong, and no reason to ask for anything.
    if (now < leaf.notBefore && now >= issuer.notBefore) return asking("not yet valid");
    if (now > leaf.notAfter) return asking("ended");
    const due = renewAt(leaf, issuer);
    if (due !== null && now >= due) return asking("due");
    renewals.push(due);
  }
  const first = earliest(renewals);
  return { reason: null, renewAt: first === null ? null : after(first, -skew) };
}

const asking = (reason: AskReason): Judgement => ({ reason, renewAt: null });

/** The serving one first; undefined when one that should be there is not, or cannot be read. */
function leavesOf({
  serving,
  identity,
  machineType,
}: NodeHolding): readonly [Certificate, ...Certificate[]] | undefined {
  if (!isUsable(serving)) return undefined;
  const [first, second] = [readKeyed(serving).certificate, identity];
  if (!isMember({ machineType })) return [first];
  return isUsable(second) ? [first, readKeyed(second).certificate] : undefined;
}

/** Whether the signer keeps its nodes on record, and gives them an identity. */
export const isMember = ({ machineType }: Pick<NodeHolding, "machineType">): boolean =>
  machineType !== "";

/** The accepted authority that signed a certificate. */
async function issuerOf(
  leaf: Certificate,
  authorities: readonly Certificate[],
): Promise<Certificate | undefined> {
  for (const authority of authorities)
    if (sameName(leaf.issuer, authority.subject) && (await signedBy(leaf, authority)))
      return authority;
  return undefined;
}

/** Whether a certificate, or a request for one, has these names and no others. */
export const hasNames = (leaf: Named, names: NodeNames): boolean =>
  isSameNames(namesIn(leaf), names);

/** Under which names a node is known by what it serves; undefined when that cannot be read. */
export const heldNames = ({ serving }: Pick<NodeHolding, "serving">): NodeNames | undefined =>
  isUsable(serving) ? namesIn(readKeyed(serving).certificate) : undefined;

type Named = Pick<Certificate, "subject" | "dnsNames" | "ipAddresses">;

const namesIn = ({ subject, dnsNames, ipAddresses }: Named): NodeNames => ({
  commonName: commonName(subject) ?? "",
  dnsNames,
  ipAddresses,
});

/** In any order. */
export const isSameNames = (a: NodeNames, b: NodeNames): boolean =>
  a.commonName === b.commonName &&
  isSameSet(a.dnsNames, b.dnsNames) &&
  isSameSet(a.ipAddresses, b.ipAddresses);

const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  isSameList([...new Set(a)].sort(), [...new Set(b)].sort());

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, index) => text === b[index]);

/** Serial numbers of what is held, under the ids of their statuses. */
export const heldUnder = (held: NodeHolding): Readonly<Record<NodeLeaf, KeyedPem | null>> => ({
  "apid-server": held.serving,
  "node-identity": held.identity,
});

/** Ids of their statuses. */
export type NodeLeaf = "apid-server" | "node-identity";
