/** What a signer goes by, followed in the stores: no call asks them. */
import { fingerprintsOf, readCertificates, type Certificate } from "#pki";
import {
  AnsweredRequest,
  DeniedCertificate,
  IssuedCertificate,
  JoinToken,
  MachineToken,
  MemberRecord,
  OSRoot,
} from "#resources";
import {
  at,
  type DeepReadonly,
  type Instant,
  type Pointer,
  type Resource,
  type SpecOf,
} from "#runtime";
import type { Store } from "#runtime/store";
import { EVERYBODYS, hostKey } from "./admission/names.ts";
import type { Standing } from "./admission/standing.ts";
import { Claims } from "./claims.ts";
import { claimIssued, claimRecord, followOthers } from "./claimants.ts";
import { follow, type Followed, type Following } from "./followed.ts";

type Root = DeepReadonly<SpecOf<typeof OSRoot>>;

/** The facts. */
export interface Facts extends Standing {
  readonly claims: Claims;
  root(): Root | undefined;
  /** Accepted authorities as they are told: the texts in their order. */
  acceptedPem(): string;
  acceptedAuthorities(): readonly Certificate[];
  answered(id: string): Resource<SpecOf<typeof AnsweredRequest>> | undefined;
  /** When an identity ends; undefined for one that is not on record any more. */
  identityEnd(fingerprint: string): Instant | undefined;
  /** What is kept of certificates until they end. */
  kept(): Iterable<Resource<SpecOf<typeof AnsweredRequest | typeof IssuedCertificate>>>;
  /** A resource of the kinds that a signer writes. */
  stored(pointer: Pointer): Resource | undefined;
  /** Takes what was just written. */
  take(resource: Resource): void;
  /** Looks again at what a write was based on. */
  refresh(pointer: Pointer): Promise<void>;
  close(): void;
}

/** Follows the facts; `store` is the node's, `records` what all control planes share. */
export async function followFacts(
  options: Following & { readonly records: Store },
): Promise<Facts> {
  const cluster = { ...options, store: options.records };
  const claims = new Claims();
  const denied = new Set<string>();
  const ends = new Map<string, Instant>();
  const roots = await follow(options, OSRoot);
  const machineTokens = await follow(options, MachineToken);
  const joinTokens = await follow(cluster, JoinToken);
  const records = await follow(cluster, MemberRecord, (id, resource) => {
    claimRecord(claims, id, resource?.spec);
  });
  const others = await followOthers(options, claims);
  const denials = await follow(cluster, DeniedCertificate, (id, resource) => {
    if (resource === undefined) denied.delete(id);
    else denied.add(id);
  });
  const answers = await follow(cluster, AnsweredRequest);
  const issued = await follow(cluster, IssuedCertificate, (serial, now, before) => {
    claimIssued(claims, serial, now?.spec);
    if (before !== undefined) ends.delete(before.spec.fingerprint);
    if (now?.spec.profile === "nodeIdentity") ends.set(now.spec.fingerprint, at(now.spec.notAfter));
  });
  const written = new Map<string, Followed<unknown>>([
    [JoinToken.type, joinTokens],
    [MemberRecord.type, records],
    [AnsweredRequest.type, answers],
    [IssuedCertificate.type, issued],
  ]);
  const followed = [roots, machineTokens, others, denials, ...written.values()];
  const trust = trustIn(() => roots.get("os")?.spec);
  return {
    claims,
    ...trust,
    machineToken: () => machineTokens.get("trustd")?.spec,
    joinToken: (id) => joinTokens.get(id),
    member: (nodeId) => records.get(nodeId),
    *holdersOf(host) {
      for (const [, holder] of claims.holdersOf(host)) yield holder;
    },
    isReserved: (nodeId) =>
      others.isSelf(nodeId) || (records.get(nodeId) === undefined && others.has(nodeId)),
    isDenied: (one) =>
      denied.size > 0 &&
      (typeof one === "string" ? [one] : fingerprintsOf(one)).some((each) => denied.has(each)),
    answered: (id) => answers.get(id),
    identityEnd: (fingerprint) => ends.get(fingerprint),
    *kept() {
      yield* answers.values();
      yield* issued.values();
    },
    stored: ({ type, id }) => written.get(type)?.get(id),
    take: (resource) => written.get(resource.metadata.type)?.take(resource),
    refresh: async ({ type, id }) => written.get(type)?.refresh(id),
    close: () => followed.forEach((one) => one.close()),
  };
}

/** What follows from the root, made once for each root. */
function trustIn(
  root: () => Root | undefined,
): Pick<Facts, "root" | "acceptedPem" | "acceptedAuthorities" | "nobodys"> {
  let made: ReturnType<typeof make> | undefined;
  const make = (of: Root | undefined) => ({
    of,
    pem: (of?.acceptedCAs ?? []).map(({ crt }) => (crt.endsWith("\n") ? crt : `${crt}\n`)).join(""),
    nobodys: new Set([
      ...EVERYBODYS,
      ...[...(of?.certSANIPs ?? []), ...(of?.certSANDNSNames ?? [])].map(hostKey),
    ]),
    authorities: (of?.acceptedCAs ?? []).flatMap(({ crt }) => readable(crt)),
  });
  const current = () => {
    const of = root();
    if (made === undefined || made.of !== of) made = make(of);
    return made;
  };
  return {
    root,
    acceptedPem: () => current().pem,
    acceptedAuthorities: () => current().authorities,
    nobodys: () => current().nobodys,
  };
}

/** A damaged text vouches for nobody. */
function readable(pem: string): Certificate[] {
  try {
    return readCertificates(pem, "accepted authority");
  } catch {
    return [];
  }
}
