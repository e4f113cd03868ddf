/** What admission goes by: what the cluster has on record at one moment. */
import type { Certificate } from "#pki";
import type { JoinToken, MachineToken, MemberRecord } from "#resources";
import type { DeepReadonly, Resource, SpecOf } from "#runtime";

export type JoinTokenSpec = DeepReadonly<SpecOf<typeof JoinToken>>;
export type MachineTokenSpec = DeepReadonly<SpecOf<typeof MachineToken>>;
export type MemberRecordSpec = DeepReadonly<SpecOf<typeof MemberRecord>>;

/** Who is on record with a host. */
export interface Holder {
  /** Empty where that is not known. */
  readonly nodeId: string;
  readonly hostname: string;
}

/** The record. */
export interface Standing {
  /** Undefined before it is known which is taken. */
  readonly machineToken: () => MachineTokenSpec | undefined;
  readonly joinToken: (id: string) => Resource<SpecOf<typeof JoinToken>> | undefined;
  readonly member: (nodeId: string) => Resource<SpecOf<typeof MemberRecord>> | undefined;
  /** Those on record with the host, or with one that it stands for as a wildcard. */
  readonly holdersOf: (host: string) => Iterable<Holder>;
  /** Hosts that are no member's own, by their keys: every machine's, and those of the whole cluster. */
  readonly nobodys: () => ReadonlySet<string>;
  readonly isDenied: (certificate: Certificate) => boolean;
}
