/** What concerns members: followed once for all of them. */
import { DeniedCertificate, Member, MemberRecord, MemberReport, OSRoot } from "#resources";
import type { AnyResourceType, Clock, Random, Resource, ResourceType, SpecOf } from "#runtime";
import { resume, type Store } from "#runtime/store";
import type { DeniedClient, KnownMember } from "../../rpc/gen/node/node.ts";
import { openAudience, type Audience } from "./audience.ts";
import type { RecordedMember } from "./asker.ts";

/** What a member is told, but for the time. */
export interface Concern {
  readonly members: KnownMember[];
  readonly ca: Buffer;
  readonly denied: DeniedClient[];
}

/** Known at any time, and told of as it changes. */
export interface Concerns extends Pick<Audience, "seat"> {
  /** Undefined when the node is no member on record. */
  of(nodeId: string): Concern | undefined;
  close(): void;
}

interface ConcernsOptions {
  /** Where records and denials are. */
  readonly cluster: Store;
  /** Where the node has what it knows of itself and the others. */
  readonly own: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Where apid of this node listens. */
  readonly apiPort: () => number;
}

/** Follows it; resolves when all of it is known. */
export async function followConcerns(options: ConcernsOptions): Promise<Concerns> {
  const { cluster, own, clock } = options;
  const audience = openAudience(clock);
  const shared = sharedBy(options.apiPort);
  const changed = () => {
    shared.forget();
    audience.wakeAll();
  };
  const follow = followerIn(options);
  const following = await Promise.all([
    follow(own, OSRoot, shared.roots, changed),
    follow(cluster, DeniedCertificate, shared.denied, changed),
    follow(own, Member, shared.members, (one, before) => {
      if (isControlPlane(one) || isControlPlane(before)) changed();
    }),
    follow(cluster, MemberRecord, shared.records, (one, before, id) => {
      if (isControlPlane(one) || isControlPlane(before)) changed();
      else audience.wake(id);
    }),
    follow(cluster, MemberReport, shared.reports, (one, before, id) => {
      if (one?.spec.apiPort !== before?.spec.apiPort && isControlPlane(shared.records.get(id)))
        changed();
    }),
  ]);
  return {
    seat: (nodeId, signal) => audience.seat(nodeId, signal),
    of: (nodeId) => shared.of(nodeId),
    close() {
      for (const stop of following) stop();
    },
  };
}

type Known<Kind extends AnyResourceType> = Map<string, Resource<SpecOf<Kind>>>;
type OneMember = Resource<SpecOf<typeof Member>>;

const isControlPlane = (one: OneMember | RecordedMember | undefined): boolean =>
  one?.spec.machineType === "controlplane";

/** The parts, and what all members are told of them. */
function sharedBy(apiPort: () => number) {
  const roots: Known<typeof OSRoot> = new Map();
  const denied: Known<typeof DeniedCertificate> = new Map();
  const members: Known<typeof Member> = new Map();
  const records: Known<typeof MemberRecord> = new Map();
  const reports: Known<typeof MemberReport> = new Map();
  /** As it says itself; this node did not join, and is on no record. */
  const portOf = (nodeId: string): number => {
    const record = records.get(nodeId);
    return record ? (reports.get(nodeId)?.spec.apiPort ?? record.spec.apiPort) : apiPort();
  };
  let made: Concern | undefined;
  const make = (): Concern => ({
    members: [...members.values()]
      .filter(isControlPlane)
      .map(({ spec }) => ({ ...knownFrom(spec), apiPort: portOf(spec.nodeId) })),
    ca: Buffer.from([...roots.values()].flatMap(acceptedIn).join("")),
    denied: [...denied].map(([fingerprint, { spec }]) => ({ fingerprint, reason: spec.reason })),
  });
  return {
    ...{ roots, denied, members, records, reports },
    forget: () => void (made = undefined),
    of(nodeId: string): Concern | undefined {
      const record = records.get(nodeId);
      if (record === undefined) return undefined;
      const all = (made ??= make());
      const others = all.members.filter((each) => each.nodeId !== nodeId);
      const { hostname, addresses, machineType } = record.spec;
      const self = { nodeId, hostname, addresses: [...addresses], machineType };
      return {
        ...all,
        members: [{ ...self, operatingSystem: "", apiPort: portOf(nodeId) }, ...others],
      };
    },
  };
}

const acceptedIn = ({ spec }: Resource<SpecOf<typeof OSRoot>>): string[] =>
  spec.acceptedCAs.map(({ crt }) => (crt.endsWith("\n") ? crt : `${crt}\n`));

const knownFrom = ({
  nodeId,
  hostname,
  addresses,
  machineType,
  operatingSystem,
}: OneMember["spec"]) => ({
  ...{ nodeId, hostname, machineType, operatingSystem },
  addresses: [...addresses],
});

type Changed<Spec> = (
  one: Resource<Spec> | undefined,
  before: Resource<Spec> | undefined,
  id: string,
) => void;

/** Keeps what is known of a kind; resolves, when that is all there is, to what ends it. */
const followerIn =
  ({ clock, random }: Pick<ConcernsOptions, "clock" | "random">) =>
  <Spec>(
    store: Store,
    kind: ResourceType<Spec>,
    known: Map<string, Resource<Spec>>,
    changed: Changed<Spec>,
  ) =>
    new Promise<() => void>((resolve) => {
      const following = resume(store.core, kind, { clock, random }).subscribe((batch) => {
        for (const event of batch) {
          if (event.type === "bootstrapped") resolve(() => following.unsubscribe());
          if (!("resource" in event)) continue;
          const { id } = event.resource.metadata;
          const before = known.get(id);
          const one = event.type === "destroyed" ? undefined : (event.resource as Resource<Spec>);
          if (one === undefined) known.delete(id);
          else known.set(id, one);
          changed(one, before, id);
        }
      });
    });
