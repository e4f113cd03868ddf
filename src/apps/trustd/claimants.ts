/** Who claims hosts: members by their records and certificates, those that did not join, the cluster. */
import {
  Identity,
  type IssuedCertificate,
  KubernetesRoot,
  Member,
  type MemberRecord,
} from "#resources";
import { at, type DeepReadonly, type SpecOf } from "#runtime";
import { shortName } from "./admission/names.ts";
import { hostsOf } from "./admission/others.ts";
import type { Claims } from "./claims.ts";
import { follow, type Following } from "./followed.ts";

type Issued = DeepReadonly<SpecOf<typeof IssuedCertificate>>;
type Recorded = DeepReadonly<SpecOf<typeof MemberRecord>>;

/** How a claim of a record is named, and those of others. */
export const claimOfRecord = (nodeId: string): string => `record ${nodeId}`;
const claimOfCertificate = (serial: string): string => `certificate ${serial}`;
const claimOfMember = (id: string): string => `member ${id}`;
const CLAIM_OF_ENDPOINT = "endpoint";

/** Puts down what a record claims; with none, nothing. */
export function claimRecord(claims: Claims, nodeId: string, record: Recorded | undefined): void {
  const id = claimOfRecord(nodeId);
  claims.delete(id);
  if (record === undefined) return;
  const { hostname } = record;
  claims.set(id, { nodeId, hostname, by: "record" }, hostsOf(record));
}

/** Puts down what a member was certified for: it can serve that until the end of the certificate. */
export function claimIssued(claims: Claims, serial: string, issued: Issued | undefined): void {
  const id = claimOfCertificate(serial);
  claims.delete(id);
  if (issued === undefined) return;
  const { nodeId, profile, dnsNames, ipAddresses, notAfter, subject } = issued;
  if (nodeId === "" || profile !== "nodeServer") return;
  const holder = { nodeId, hostname: dnsNames[0] ?? subject, by: "certificate" as const };
  claims.set(id, { ...holder, until: at(notAfter) }, [...dnsNames, ...ipAddresses]);
}

/** The host that clients find the cluster by; a damaged one leads to none. */
function claimEndpoint(claims: Claims, endpoint: string): void {
  const { hostname = "" } = URL.parse(endpoint) ?? {};
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  claims.set(CLAIM_OF_ENDPOINT, { nodeId: "", hostname: host, by: "endpoint" }, [host]);
}

/** What this node knows of itself and others, whether they are on record or not. */
interface Others {
  readonly isSelf: (nodeId: string) => boolean;
  /** Whether a member has told this id. */
  readonly has: (nodeId: string) => boolean;
  readonly close: () => void;
}

/** Follows them, and puts down what they claim. */
export async function followOthers(options: Following, claims: Claims): Promise<Others> {
  const members = await follow(options, Member, (id, resource) => {
    claims.delete(claimOfMember(id));
    if (resource === undefined) return;
    const { nodeId, hostname, addresses } = resource.spec;
    const hosts = [id, hostname, shortName(hostname) ?? "", ...addresses];
    claims.set(claimOfMember(id), { nodeId, hostname, by: "member" }, hosts);
  });
  const identities = await follow(options, Identity);
  const endpoints = await follow(options, KubernetesRoot, (_, resource) => {
    claims.delete(CLAIM_OF_ENDPOINT);
    if (resource !== undefined) claimEndpoint(claims, resource.spec.endpoint);
  });
  return {
    isSelf: (nodeId) => nodeId === identities.get("local")?.spec.nodeId,
    has: (nodeId) => [...members.values()].some(({ spec }) => spec.nodeId === nodeId),
    close: () => [members, identities, endpoints].forEach((one) => one.close()),
  };
}
