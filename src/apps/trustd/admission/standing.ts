/** What admission goes by: what the cluster has on record at one moment. */
import type { Certificate } from "#pki";
import type { JoinToken, MachineToken, MemberRecord } from "#resources";
import type { DeepReadonly, Instant, Resource, SpecOf } from "#runtime";

export type JoinTokenSpec = DeepReadonly<SpecOf<typeof JoinToken>>;
export type MachineTokenSpec = DeepReadonly<SpecOf<typeof MachineToken>>;
export type MemberRecordSpec = DeepReadonly<SpecOf<typeof MemberRecord>>;

/** Who has a host, and by what. */
export interface Holder {
  /** Empty where that is not known. */
  readonly nodeId: string;
  readonly hostname: string;
  /** Its record as it is, a certificate that it got, what is known of a member otherwise, or the cluster's. */
  readonly by: "record" | "certificate" | "member" | "endpoint";
  /** When the certificate ends. */
  readonly until?: Instant;
}

/** The record. */
export interface Standing {
  /** Undefined before it is known which is taken. */
  readonly machineToken: () => MachineTokenSpec | undefined;
  readonly joinToken: (id: string) => Resource<SpecOf<typeof JoinToken>> | undefined;
  readonly member: (nodeId: string) => Resource<SpecOf<typeof MemberRecord>> | undefined;
  /** Whether an id is this node's, or that of another member that is on no record: neither joins. */
  readonly isReserved: (nodeId: string) => boolean;
  /** Those who have the host, one that it stands for as a wildcard, or a wildcard that stands for it. */
  readonly holdersOf: (host: string) => Iterable<Holder>;
  /** Hosts that are no member's own, by their keys: every machine's, and those of the whole cluster. */
  readonly nobodys: () => ReadonlySet<string>;
  /** Of a certificate, or of what has this fingerprint. */
  readonly isDenied: (certificate: Certificate | string) => boolean;
}
