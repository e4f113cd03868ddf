/**
 * Lists the nodes of the cluster: this one, the control planes that it was told of by address, and those
 * that are on record. One that is not heard of any more is marked, and stays.
 */
import { canonicalAddress } from "#config";
import {
  fqdn,
  HostnameStatus,
  Identity,
  MachineType,
  Member,
  MemberRecord,
  MemberReport,
  NodeAddress,
  UNHEARD_LABEL,
} from "#resources";
import {
  after,
  all,
  at,
  type DeepReadonly,
  defineController,
  earliest,
  exclusive,
  type Instant,
  minutes,
  one,
  type Resource,
  resource,
  type SpecOf,
} from "#runtime";

/** Where Kubernetes listens on a control plane. */
const API_SERVER = { port: 6443 };
/** Three times what a member is asked to report within. */
const UNHEARD_AFTER = minutes(15);

type Members = Record<string, DeepReadonly<SpecOf<typeof Member>> | ReturnType<typeof unheard>>;
type Recorded = Resource<SpecOf<typeof MemberRecord>>;
type Report = Resource<SpecOf<typeof MemberReport>>;

export const memberController = (options: {
  /** Control planes, by address; this node may be among them. */
  readonly controlPlanes: readonly string[];
  /** What this node calls its program. */
  readonly operatingSystem: string;
}) => {
  const { operatingSystem } = options;
  const controlPlanes = options.controlPlanes.map(canonicalAddress);
  return defineController({
    name: "cluster.MemberController",
    inputs: {
      identity: one(Identity, "local"),
      hostname: one(HostnameStatus, "hostname"),
      addresses: one(NodeAddress, "current"),
      type: one(MachineType, "machine-type"),
      records: all(MemberRecord),
      reports: all(MemberReport),
    },
    outputs: { members: exclusive(Member) },

    reconcile({ inputs, clock }) {
      const { nodeId } = inputs.identity.spec;
      const self = {
        nodeId,
        addresses: inputs.addresses.spec.addresses,
        hostname: fqdn(inputs.hostname.spec),
        machineType: inputs.type.spec.type,
        operatingSystem,
        controlPlane: apiServerOf(inputs.type.spec.type),
      };
      const recorded = inputs.records.filter(({ metadata }) => metadata.id !== nodeId);
      const names = new Set([self, ...recorded.map(({ spec }) => spec)].flatMap(addressesOf));
      const told = controlPlanes.filter((address) => !names.has(address));
      const members: Members = {
        ...Object.fromEntries(told.map((address) => [address, knownByAddress(address)])),
        [inputs.hostname.spec.hostname]: self,
      };
      const wakeAt = addRecorded(members, { recorded, reports: inputs.reports, now: clock.now() });
      return { outputs: { members }, wakeAt };
    },
  });
};

/** @returns when the next of them is unheard of for too long */
function addRecorded(
  members: Members,
  given: {
    readonly recorded: readonly Recorded[];
    readonly reports: readonly Report[];
    readonly now: Instant;
  },
): Instant | null {
  const reports = new Map(given.reports.map(({ metadata, spec }) => [metadata.id, spec]));
  let wakeAt: Instant | null = null;
  // Who joined first keeps its short name, whatever ids others have.
  const inOrder = given.recorded.toSorted(
    (a, b) =>
      a.spec.joined.localeCompare(b.spec.joined) || (a.metadata.id < b.metadata.id ? -1 : 1),
  );
  for (const record of inOrder) {
    const report = reports.get(record.metadata.id);
    const member = memberFrom(record, report);
    // Empty for what this node was told of, and hears nothing from.
    const heard = report?.heard ?? record.spec.joined;
    const late = heard === "" ? null : after(at(heard), UNHEARD_AFTER);
    const isLate = late !== null && given.now >= late;
    members[freeId(members, member)] = isLate ? unheard(member, heard) : member;
    if (!isLate) wakeAt = earliest([wakeAt, late]);
  }
  return wakeAt;
}

const unheard = (member: ReturnType<typeof memberFrom>, since: string) =>
  resource(member, { labels: { [UNHEARD_LABEL]: since } });

/** What a member says counts within what it is on record as. */
function memberFrom({ metadata, spec }: Recorded, report: Report["spec"] | undefined) {
  const { hostname, machineType } = spec;
  const said = report?.addresses.filter((address) => spec.addresses.includes(address)) ?? [];
  return {
    nodeId: metadata.id,
    addresses: said.length > 0 ? said : spec.addresses,
    hostname,
    machineType,
    operatingSystem: report?.operatingSystem ?? "",
    controlPlane: apiServerOf(machineType),
  };
}

/** As this node names itself: by the first label; by more where another has that. */
function freeId(members: Members, { hostname, nodeId }: ReturnType<typeof memberFrom>): string {
  const ids = [hostname.split(".")[0] ?? "", hostname, nodeId];
  return ids.find((id) => id !== "" && !Object.hasOwn(members, id)) ?? nodeId;
}

const addressesOf = ({ addresses }: { readonly addresses: readonly string[] }) => addresses;

const apiServerOf = (machineType: "controlplane" | "worker") =>
  machineType === "controlplane" ? API_SERVER : null;

/** A control plane says more of itself when it is asked. */
const knownByAddress = (address: string) => ({
  nodeId: "",
  addresses: [address],
  hostname: address,
  machineType: "controlplane" as const,
  operatingSystem: "",
  controlPlane: API_SERVER,
});
