/** What is put on record with each answer. */
import { formatName, serialHex, type Certificate } from "#pki";
import { AnsweredRequest, IssuedCertificate, JoinToken, MemberRecord } from "#resources";
import { rfc3339, type Instant } from "#runtime";
import { keyOf } from "./admission/former.ts";
import { hostKey, shortName, type Names } from "./admission/names.ts";
import type { MemberRecordSpec, Standing } from "./admission/standing.ts";
import type { Draft } from "./ledger.ts";

/** Both certificates of a member. */
export interface Pair {
  readonly serving: Certificate;
  readonly identity: Certificate;
}

/** For whom, and by what right, a certificate is issued. */
export interface Occasion {
  readonly nodeId: string;
  /** The name of the token; empty for a renewal. */
  readonly token: string;
  readonly peer: string;
}

/** Keeps that a certificate was issued. */
export function putIssued(
  draft: Draft,
  profile: "nodeServer" | "nodeIdentity",
  certificate: Certificate,
  occasion: Occasion,
): void {
  const { fingerprint, subject, dnsNames, ipAddresses, serialNumber } = certificate;
  draft.put(IssuedCertificate, serialHex(serialNumber), {
    ...{ fingerprint, profile, dnsNames, ipAddresses, ...occasion },
    subject: formatName(subject),
    notBefore: rfc3339(certificate.notBefore),
    notAfter: rfc3339(certificate.notAfter),
    spkiFingerprint: Buffer.from(certificate.spkiFingerprint, "base64").toString("hex"),
  });
}

/** Keeps an answer, for a repeat of its request. */
export function putAnswer(
  draft: Draft,
  digest: string,
  { serving, identity }: Pair,
  { nodeId, now }: { readonly nodeId: string; readonly now: Instant },
): void {
  draft.put(AnsweredRequest, digest, {
    nodeId,
    answered: rfc3339(now),
    notAfter: rfc3339(serving.notAfter < identity.notAfter ? serving.notAfter : identity.notAfter),
    servingCrt: serving.pem,
    identityCrt: identity.pem,
  });
}

/** Spends a use of a join token, where its uses are counted or not; `machine.token` has no count. */
export function spend(draft: Draft, token: string): void {
  const resource = draft.joinToken(token);
  if (resource !== undefined)
    draft.put(JoinToken, token, { ...resource.spec, used: resource.spec.used + 1 });
}

/** So many identities of a member are on record, and the one that it has shown, if that is older. */
const IDENTITIES_MAX = 8;

/** What of a record changes with each pair of certificates. */
export function putMember(
  draft: Draft,
  nodeId: string,
  granted: Pick<MemberRecordSpec, "machineType" | "token" | "bounds" | "joined">,
  { names, pair, now, proven }: Received,
): void {
  const before = draft.member(nodeId)?.spec;
  const known = (before?.identities ?? []).map((identity, i) => ({
    identity,
    key: before?.identityKeys[i] ?? "",
  }));
  // The answer with the next one may get lost: the last one, and the one that the node has just shown,
  // are kept also when they have ended.
  const kept = known.filter(
    ({ identity }, i) =>
      i === known.length - 1 ||
      proven.includes(identity) ||
      (draft.identityEnd(identity) ?? now) > now,
  );
  const newest = kept.length - (IDENTITIES_MAX - 1);
  const within = kept.filter(({ identity }, i) => i >= newest || proven.includes(identity));
  const identities = [
    ...within,
    { identity: pair.identity.fingerprint, key: keyOf(pair.identity) },
  ];
  const { machineType, token, bounds, joined } = granted;
  draft.put(MemberRecord, nodeId, {
    ...{ machineType, token, bounds, joined },
    hostname: hostKey(names.commonName),
    dnsNames: ownNames(names, draft),
    addresses: ownAddresses(names, draft),
    identities: identities.map(({ identity }) => identity),
    identityKeys: identities.map(({ key }) => key),
    notAfter: rfc3339(pair.serving.notAfter),
    apiPort: before?.apiPort ?? 0,
  });
}

/** What a member has received. */
export interface Received {
  readonly names: Names;
  readonly pair: Pair;
  readonly now: Instant;
  /** Fingerprints of the identity that it has shown. */
  readonly proven: readonly string[];
}

/** Names of a request that are its member's own from now on, and the short one by which it is known. */
const ownNames = (
  { commonName, dnsNames }: Names,
  { nobodys }: Pick<Standing, "nobodys">,
): readonly string[] =>
  [...new Set([...dnsNames.map(hostKey), shortName(commonName) ?? ""])].filter(
    (key) => key !== "" && !nobodys().has(key),
  );

/** Addresses of a request that are its member's own from now on. */
const ownAddresses = (
  { ipAddresses }: Names,
  { nobodys }: Pick<Standing, "nobodys">,
): readonly string[] => [...new Set(ipAddresses.map(hostKey))].filter((key) => !nobodys().has(key));
