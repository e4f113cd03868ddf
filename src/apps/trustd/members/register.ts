/** The members of the cluster, as an operator sees them. */
import { canonicalAddress, isAddress } from "#config";
import { Identity, Member, MemberRecord, MemberReport, UNHEARD_LABEL } from "#resources";
import {
  type Clock,
  type DeepReadonly,
  type Logger,
  NotFoundError,
  type Resource,
  type SpecOf,
} from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import type { Store } from "#runtime/store";
import type { ClusterStore } from "../../node/cluster-store.ts";
import type { RecordedMember } from "./asker.ts";
import { MemberKeptError, MemberUnknownError } from "./errors.ts";
import { removeMember } from "./removal.ts";

/** `Known`: not heard of yet. `Self`: the node that says so. */
export type MemberState = "Self" | "Known" | "Heard" | "Unheard";

/** A member as it is listed; times are RFC 3339, and empty where they are not known. */
export interface ListedMember {
  readonly nodeId: string;
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly machineType: string;
  readonly operatingSystem: string;
  readonly joined: string;
  readonly lastHeard: string;
  readonly state: MemberState;
  /** What it joined with: `machine.token`, or the id of a join token. */
  readonly token: string;
  /** When the certificate that it serves ends. */
  readonly notAfter: string;
}

/** A member that is one no longer. */
export interface RemovedMember {
  readonly nodeId: string;
  readonly hostname: string;
  /** How many certificates are denied from now on. */
  readonly denied: number;
  /** RFC 3339: until then others take it for itself by what it serves; empty where that is not known. */
  readonly notAfter: string;
}

/** The members of a cluster. */
export interface Register {
  /** In the order of their ids. */
  list(): Promise<readonly ListedMember[]>;
  /**
   * Takes one off the record, and denies its client certificates.
   *
   * @param named its hostname, one of its addresses, or its node's id
   * @throws {MemberUnknownError} {@link MemberKeptError} {@link NoClusterStoreError}
   */
  remove(named: string): Promise<RemovedMember>;
}

interface RegisterOptions {
  readonly cluster: ClusterStore;
  /** Of this node. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** That of a node. */
export const openRegister = ({ cluster, store, clock, log }: RegisterOptions): Register => ({
  async list() {
    const found = await cluster.find();
    const records = "store" in found ? await found.store.list(MemberRecord) : [];
    const reports = "store" in found ? await found.store.list(MemberReport) : [];
    const known = { records: byId(records), reports: byId(reports) };
    const self = (await store.get(Identity, "local"))?.spec.nodeId;
    return (await store.list(Member)).map((member) => {
      const { nodeId } = member.spec;
      const facts = { record: known.records.get(nodeId), report: known.reports.get(nodeId) };
      return listed(member, { ...facts, isSelf: nodeId === self });
    });
  },
  async remove(named) {
    const shared = await cluster.open();
    const member = oneOf(await called(named, shared), named) ?? (await noSuch(named, store));
    const { hostname, notAfter } = member.spec;
    const reason = `${hostname} was removed from the cluster`;
    const denied = await removeMember(shared, member, { clock, reason }).catch((error: unknown) => {
      throw error instanceof NotFoundError ? unknown(named) : error;
    });
    const nodeId = member.metadata.id;
    log.info({ nodeId, hostname, denied }, "a member was removed");
    return { nodeId, hostname, denied, notAfter };
  },
});

type Report = SpecOf<typeof MemberReport>;

const byId = <Spec>(resources: readonly Resource<Spec>[]) =>
  new Map(resources.map(({ metadata, spec }) => [metadata.id, spec]));

interface Facts {
  readonly isSelf: boolean;
  readonly record: RecordedMember["spec"] | undefined;
  readonly report: DeepReadonly<Report> | undefined;
}

function listed(
  { metadata, spec }: Resource<SpecOf<typeof Member>>,
  { isSelf, record, report }: Facts,
): ListedMember {
  const { nodeId, hostname, addresses, machineType, operatingSystem } = spec;
  const heard = report === undefined ? "Known" : "Heard";
  return {
    ...{ nodeId, hostname, addresses, machineType, operatingSystem },
    joined: record?.joined ?? "",
    lastHeard: report?.heard ?? "",
    state: isSelf ? "Self" : metadata.labels[UNHEARD_LABEL] === undefined ? heard : "Unheard",
    token: record?.token ?? "",
    notAfter: record?.notAfter ?? "",
  };
}

/** The members on record that go by a name, an address or an id. */
async function called(named: string, shared: Store): Promise<readonly RecordedMember[]> {
  const records = await shared.list(MemberRecord);
  const byNodeId = records.filter(({ metadata }) => metadata.id === named);
  if (byNodeId.length > 0) return byNodeId;
  if (isAddress(named)) {
    const address = canonicalAddress(named);
    return records.filter(({ spec }) => spec.addresses.includes(address));
  }
  const name = named.toLowerCase();
  const byName = records.filter(({ spec }) => spec.hostname.toLowerCase() === name);
  if (byName.length > 0) return byName;
  return records.filter(({ spec }) => spec.hostname.toLowerCase().split(".")[0] === name);
}

function oneOf(found: readonly RecordedMember[], named: string): RecordedMember | undefined {
  if (found.length <= 1) return found[0];
  const names = found.slice(0, NAMES_MAX).map(({ spec }) => spec.hostname);
  const more = found.length > NAMES_MAX ? ` and ${found.length - NAMES_MAX} more` : "";
  throw new InvalidRequestError(
    `${shown(named)} is ${found.length} members: name one of ${names.join(", ")}${more}`,
  );
}

const NAMES_MAX = 5;

/** @throws {MemberKeptError} for one that is known, but not by joining; {@link MemberUnknownError} */
async function noSuch(named: string, own: Store): Promise<never> {
  const name = isAddress(named) ? canonicalAddress(named) : named.toLowerCase();
  const isMember = (await own.list(Member)).some(({ metadata, spec }) =>
    [metadata.id, spec.nodeId, spec.hostname.toLowerCase(), ...spec.addresses].includes(name),
  );
  if (!isMember) throw unknown(named);
  throw new MemberKeptError(
    `${shown(named)} did not join by a token, and is on no record that it could be taken off: it is a ` +
      "control plane by its configuration",
  );
}

const unknown = (named: string) =>
  new MemberUnknownError(
    `no member of this cluster has the hostname, address or node id ${shown(named)}`,
  );

const shown = (text: string): string => JSON.stringify(text.slice(0, 100));
