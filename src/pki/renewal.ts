/** When a leaf is renewed, and why one is issued anew. */
import { instantOf, type Instant } from "#runtime";
import { SKEW, type KeyedPem } from "./authority.ts";
import { readCertificate, serialHex, type Certificate } from "./certificate.ts";
import { CodedError } from "#runtime";
import { sameBytes } from "./gate.ts";
import { keyIdUnder } from "./issue.ts";
import { readKeyed } from "./keyed.ts";
import { signedBy } from "./keys/public-key.ts";
import { leafEnd, leafKeyUnder, leafNames, type IssueLeaf, type LeafRequest } from "./leaf.ts";
import { commonName, organizations, sameName } from "./name.ts";

/** Renewal falls into this part of a leaf's life; where in it, the serial number says. */
const EARLIEST = 0.4;
const LATEST = 0.75;

/**
 * When a leaf is due: a fraction of its life that differs from leaf to leaf, so that not all of them
 * are renewed at once, and is the same whoever asks.
 *
 * @returns null when the leaf ends with its issuer, for then renewal cannot extend it
 */
export function renewAt(leaf: Certificate, issuer: Certificate): Instant | null {
  const { notBefore, notAfter, serialNumber } = leaf;
  if (notAfter >= issuer.notAfter) return null;
  const jitter = Number(BigInt.asUintN(32, serialNumber)) / 2 ** 32;
  const fraction = EARLIEST + (LATEST - EARLIEST) * jitter;
  const issued = notBefore + SKEW;
  return instantOf(Math.min(notAfter, Math.floor(issued + fraction * (notAfter - issued))));
}

/** Why a held leaf does not do. */
export type ReissueReason =
  | "missing"
  | "unreadable"
  | "key mismatch"
  | "issuer changed"
  | "profile changed"
  | "names changed"
  | "lifetime changed"
  | "not yet valid"
  | "due"
  | "asked for";

/** That one certificate is to be replaced before its time; another one is not meant. */
export interface Replacement {
  /** Lower hex. */
  readonly serialNumber: string;
  /** Whether its key is replaced, too. */
  readonly newKey: boolean;
}

/** What {@link keepLeaf} comes to. */
export interface KeptLeaf {
  /** The held object itself when nothing has to change. */
  readonly leaf: KeyedPem;
  readonly renewAt: Instant | null;
  /** Why the leaf is a new one; null when it is the held one. */
  readonly reason: ReissueReason | null;
}

/**
 * Keeps a held leaf as long as it is what the request asks for, and else issues a new one.
 *
 * @throws what `issueLeaf` throws; {CertificateParseError}, {PemError}, {PemLabelError} when the
 *   authority's certificate cannot be read
 */
export async function keepLeaf(o: {
  readonly held: KeyedPem | undefined;
  readonly request: LeafRequest;
  readonly replacement?: Replacement | undefined;
  readonly issueLeaf: IssueLeaf;
}): Promise<KeptLeaf> {
  const { held, request, replacement } = o;
  const issuer = issuerOf(request.authority.crt);
  const lifetime = request.lifetime ?? o.issueLeaf.lifetimeOf?.(request.profile);
  let reason = await reissueReason(held, {
    ...request,
    ...(lifetime !== undefined && { lifetime }),
  });
  let key: string | undefined;
  if (held !== undefined && reason === null) {
    const { certificate } = readKeyed(held);
    if (!isToReplace(certificate, replacement))
      return { leaf: held, renewAt: renewAt(certificate, issuer), reason };
    reason = "asked for";
    if (!replacement.newKey) key = held.key;
  }
  const leaf = await o.issueLeaf({ ...request, ...(key !== undefined && { key }) });
  return { leaf, renewAt: renewAt(readKeyed(leaf).certificate, issuer), reason };
}

/** Whether a certificate is the one that is to be replaced. */
export const isToReplace = (
  { serialNumber }: Certificate,
  replacement: Replacement | undefined,
): replacement is Replacement => replacement?.serialNumber === serialHex(serialNumber);

/** Why the held leaf is not, or no more, what the request asks for; null when it is. */
export async function reissueReason(
  held: KeyedPem | undefined,
  request: LeafRequest,
): Promise<ReissueReason | null> {
  if (held === undefined) return "missing";
  const issuer = issuerOf(request.authority.crt);
  let leaf: Certificate;
  try {
    const read = readKeyed(held);
    if (!read.keyMatches) return "key mismatch";
    leaf = read.certificate;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return "unreadable";
  }
  if (!(await isUnder(leaf, issuer))) return "issuer changed";
  for (const [reason, applies] of Object.entries(reasons))
    if (applies(leaf, request, issuer)) return reason as keyof typeof reasons;
  return null;
}

type Applies = (leaf: Certificate, request: LeafRequest, issuer: Certificate) => boolean;

/** In the order in which they are asked. */
const reasons = {
  "profile changed": (leaf, { profile }, issuer) =>
    leaf.isCa ||
    leaf.publicKey.algorithm !== leafKeyUnder(issuer) ||
    !sameSet(leaf.keyUsages, profile.keyUsages) ||
    !sameSet(leaf.extKeyUsages, profile.extKeyUsages),
  "names changed"(leaf, request) {
    const names = leafNames(request);
    return !(
      (commonName(leaf.subject) ?? "") === names.commonName &&
      sameSet(organizations(leaf.subject), names.organizations) &&
      sameSet(leaf.dnsNames, names.dnsNames) &&
      sameSet(leaf.ipAddresses, names.ipAddresses)
    );
  },
  "lifetime changed": (leaf, { profile, lifetime = profile.lifetime }, issuer) =>
    leaf.notAfter !== leafEnd(leaf.notBefore, lifetime, issuer),
  // A clock that is behind the authority's own beginning is wrong, and no reason to drop anything.
  "not yet valid": ({ notBefore }, { now }, issuer) => now < notBefore && now >= issuer.notBefore,
  due(leaf, { now }, issuer) {
    const when = renewAt(leaf, issuer);
    return when !== null && now >= when;
  },
} as const satisfies Partial<Record<ReissueReason, Applies>>;

const sameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const set = new Set(a);
  return new Set(b).size === set.size && b.every((text) => set.has(text));
};

/** Issued by this very authority: its name, key identifier and signature. */
const isUnder = async (leaf: Certificate, issuer: Certificate): Promise<boolean> =>
  sameName(leaf.issuer, issuer.subject) &&
  sameBytes(leaf.authorityKeyId, keyIdUnder(issuer, leaf.subject)) &&
  (await signedBy(leaf, issuer));

const issuerOf = (crt: string): Certificate => readCertificate(crt, "authority");
