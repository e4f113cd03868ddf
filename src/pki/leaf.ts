/** Issues leaves by their profiles. */
import { after, instantOf, type Instant, type Random } from "#runtime";
import { canonicalAddress } from "./address.ts";
import { assertNotEnded, readAuthority, SKEW, type KeyedPem } from "./authority.ts";
import { keepInMind, type Certificate } from "./certificate.ts";
import type { Csr } from "./csr.ts";
import { AltNameInvalidError } from "./errors.ts";
import { passGate } from "./gate.ts";
import { signCertificate, type Authority } from "./issue.ts";
import { defaultSignature, leafKeys, signatureAlgorithms } from "./keys/algorithms.ts";
import { keepPairInMind } from "./keyed.ts";
import type { KeyAlgorithm, KeyProvider, PublicKey, SignatureAlgorithm } from "./keys/key.ts";
import { buildName, type Name } from "./name.ts";
import {
  defaultInForce,
  enforce,
  type Bounds,
  type CompiledPolicy,
  type PolicyInForce,
} from "./policy/index.ts";
import type { LeafProfile } from "./profiles.ts";

/**
 * What a leaf shall be; the subject is by default that of the profile, and so is `lifetime`, or what the
 * policy in force allows when that is shorter.
 */
export interface LeafRequest {
  readonly profile: LeafProfile;
  readonly authority: KeyedPem;
  readonly commonName?: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly lifetime?: number;
  /** PEM of the private key that it is for; by default a new one. */
  readonly key?: string;
  readonly now: Instant;
}

/** Issues a leaf. */
export interface IssueLeaf {
  (request: LeafRequest): Promise<KeyedPem>;
  /** How long a leaf will live when nobody asks for a life; left out: as its profile says. */
  readonly lifetimeOf?: (profile: LeafProfile) => number;
}

/** The names of a leaf, addresses in canonical text. */
export interface LeafNames {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/**
 * The names that a leaf will have.
 *
 * @throws {AltNameInvalidError} when an address is none
 */
export const leafNames = (request: Omit<LeafRequest, "authority" | "now">): LeafNames => ({
  commonName: request.commonName ?? request.profile.commonName ?? "",
  organizations: request.organizations ?? request.profile.organizations ?? [],
  dnsNames: request.dnsNames ?? [],
  ipAddresses: (request.ipAddresses ?? []).map(addressOf),
});

function addressOf(text: string): string {
  const address = canonicalAddress(text);
  if (address === undefined)
    throw new AltNameInvalidError(`${JSON.stringify(text)} is not an IP address`);
  return address;
}

/** The key that leaves have under an authority, by the signature on it (talos-pki.md §2.1). */
export const leafKeyUnder = ({ signatureAlgorithm }: Certificate): KeyAlgorithm =>
  leafKeys[signatureAlgorithms[signatureAlgorithm].family];

/** The end of a leaf: its lifetime after the backdating, and never after its issuer. */
export function leafEnd(notBefore: Instant, lifetime: number, issuer: Certificate): Instant {
  return instantOf(Math.min(wholeSecond(notBefore + SKEW + lifetime), issuer.notAfter));
}

const wholeSecond = (moment: number): Instant => instantOf(Math.floor(moment / 1000) * 1000);

/**
 * An issuer of leaves; new keys are of the type that the authority asks for.
 *
 * @returns a function that throws AuthorityExpiredError, NotAuthorityError, KeyMismatchError,
 *   AltNameInvalidError, AlgorithmMismatchError, CertificateRefusedError, PolicyRefusedError, and what
 *   reading a key does
 */
export function leafIssuer(o: {
  readonly keys: KeyProvider;
  readonly random: Random;
  /** By default the default policy is in force. */
  readonly policy?: PolicyInForce;
}): IssueLeaf {
  const known = new WeakMap<KeyedPem, KeyedPem & { readonly authority: Authority }>();
  const authorityOf = async (pem: KeyedPem): Promise<Authority> => {
    const before = known.get(pem);
    if (before?.crt === pem.crt && before.key === pem.key) return before.authority;
    const authority = await readAuthority(pem, o.keys);
    known.set(pem, { crt: pem.crt, key: pem.key, authority });
    return authority;
  };
  const policy = o.policy ?? defaultInForce;
  const issueLeaf = async (request: LeafRequest) => {
    const { profile, now } = request;
    const authority = await authorityOf(request.authority);
    assertNotEnded(authority.certificate, now);
    const names = leafNames(request);
    const key =
      request.key === undefined
        ? await o.keys.issueKey(leafKeyUnder(authority.certificate))
        : await o.keys.readKey(request.key);
    const leaf = await certify({
      authority,
      profile,
      subject: buildName(names),
      publicKey: key.publicKey,
      dnsNames: names.dnsNames,
      ipAddresses: names.ipAddresses,
      signatureAlgorithm: defaultSignature(key.algorithm),
      lifetime: request.lifetime,
      now,
      random: o.random,
      policy,
    });
    keepInMind(leaf.pem, leaf);
    const issued = { crt: leaf.pem, key: await key.pem() };
    keepPairInMind(issued, leaf);
    return issued;
  };
  return Object.assign(issueLeaf, {
    lifetimeOf: (profile: LeafProfile) => lifetimeUnder(policy(), profile),
  });
}

/** What the profile says, or the policy when that is shorter. */
const lifetimeUnder = ({ lifetimes }: CompiledPolicy, { name, lifetime }: LeafProfile): number =>
  Math.min(lifetime, lifetimes[name] ?? Infinity);

/**
 * Issues a leaf for a certificate request, which names the key, DNS names and addresses.
 *
 * @param o.subject what of the request's subject is certified: the signer decides
 * @throws {AuthorityExpiredError} when the authority has ended
 * @param o.policy by default the default policy is in force
 * @param o.bounds those of the token that it is asked for with
 * @throws {AlgorithmMismatchError} when the request's key is of another type than the authority's
 * @throws {PolicyRefusedError} when the policy in force, or the bounds, do not allow it
 * @see talos-pki.md §2.2
 */
export async function certifyCsr(o: {
  readonly csr: Csr;
  readonly subject: Name;
  readonly authority: Authority;
  readonly profile: LeafProfile;
  readonly lifetime?: number;
  readonly now: Instant;
  readonly random: Random;
  readonly policy?: PolicyInForce;
  readonly bounds?: Bounds;
}): Promise<Certificate> {
  const { csr, authority, profile, subject, now, random } = o;
  assertNotEnded(authority.certificate, now);
  const { publicKey, signatureAlgorithm, dnsNames, ipAddresses } = csr;
  return certify({
    ...{ authority, profile, subject, publicKey, dnsNames, ipAddresses, signatureAlgorithm },
    ...{ lifetime: o.lifetime, now, random, policy: o.policy, bounds: o.bounds },
  });
}

/** Signs, lets through the gate, and asks the policy: every leaf comes this way. */
async function certify(o: {
  readonly authority: Authority;
  readonly profile: LeafProfile;
  readonly subject: Name;
  readonly publicKey: PublicKey;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly lifetime: number | undefined;
  readonly now: Instant;
  readonly random: Random;
  readonly policy: PolicyInForce | undefined;
  readonly bounds?: Bounds | undefined;
}): Promise<Certificate> {
  const { authority, profile, subject, publicKey, dnsNames, now } = o;
  const issuer = authority.certificate;
  const policy = (o.policy ?? defaultInForce)();
  const lifetime = o.lifetime ?? lifetimeUnder(policy, profile);
  const notBefore = wholeSecond(after(now, -SKEW));
  // As it will be read again: mapped addresses have become IPv4.
  const ipAddresses = o.ipAddresses.map(addressOf);
  const der = await signCertificate({
    issuer: authority,
    subject,
    publicKey,
    notBefore,
    notAfter: leafEnd(notBefore, lifetime, issuer),
    keyUsages: profile.keyUsages,
    extKeyUsages: profile.extKeyUsages,
    dnsNames,
    ipAddresses,
    signatureAlgorithm: o.signatureAlgorithm,
    random: o.random,
  });
  const expected = { profile, issuer, subject, publicKey, dnsNames, ipAddresses, now };
  const leaf = await passGate(der, expected);
  enforce(leaf, profile.name, policy, o.bounds);
  return leaf;
}
