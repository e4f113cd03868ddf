/** A host of another member is never certified, whoever asks and with whatever token. */
import type { Instant } from "#runtime";
import { EVERYBODYS, hostKey, namesAt, shortName, type NameAt, type Names } from "./names.ts";
import type { Objection } from "./objection.ts";
import type { Holder, MemberRecordSpec, Standing } from "./standing.ts";

type Known = Pick<Standing, "holdersOf" | "isReserved" | "member" | "nobodys">;

/** Who asks, and when. */
interface Asking {
  /** The id of the member that asks; undefined for one that does not say who it is. */
  readonly own: string | undefined;
  readonly now: Instant;
}

/** Finds the first name that another member has, or that is no member's own and would become this one's. */
export function nameOfAnother(
  names: Names,
  asking: Asking,
  standing: Known,
): Objection | undefined {
  const isMember = asking.own !== undefined;
  const shared = isMember ? sharedHostname(names, standing) : undefined;
  if (shared !== undefined) return shared;
  for (const { field, name } of isMember ? withShortName(names) : namesAt(names)) {
    const key = hostKey(name);
    const others = [...standing.holdersOf(key)].filter((one) =>
      isAnothers(one, key, asking, standing),
    );
    const holder = others.find(({ by }) => by === "record") ?? others[0];
    if (holder !== undefined)
      return { rule: "names of others", field, problem: problemWith(name, holder) };
  }
  return undefined;
}

/** A member is known by its short name, too. */
function withShortName(names: Names): readonly NameAt[] {
  const name = shortName(names.commonName);
  return [
    ...namesAt(names),
    ...(name === undefined ? [] : [{ field: "commonName" as const, name }]),
  ];
}

/** Who is on record under what all may ask for would keep it from the others. */
function sharedHostname({ commonName }: Names, { nobodys }: Known): Objection | undefined {
  const key = hostKey(commonName);
  if (!nobodys().has(key) || EVERYBODYS.has(key)) return undefined;
  return {
    rule: "names of others",
    field: "commonName",
    problem:
      `${JSON.stringify(commonName)} is among machine.certSANs of the cluster, which are no member's own: ` +
      "name the node otherwise, or take it out of there",
  };
}

/** Whether a claim stands against who asks; only its own record and its certificates make a name its own. */
function isAnothers(
  { by, nodeId, until }: Holder,
  key: string,
  { own, now }: Asking,
  { isReserved, member, nobodys }: Known,
): boolean {
  if (by === "record") return nodeId !== own;
  // Who wrote machine.certSANs gave them to every node, also what a control plane is known by.
  if (nobodys().has(key)) return false;
  // What is known of one that is on record is no more than what that says.
  if (by === "member") return member(nodeId) === undefined || isReserved(nodeId);
  if (by === "endpoint") return true;
  // With its member gone, or another one on record with the name, a certificate keeps it no longer.
  const isKept = nodeId !== own && member(nodeId) !== undefined;
  return isKept && now < (until ?? now) && !isOnRecordWith(key, own, member);
}

const isOnRecordWith = (key: string, own: string | undefined, member: Standing["member"]) => {
  const record = own === undefined ? undefined : member(own)?.spec;
  return record !== undefined && hostsOf(record).includes(key);
};

/** Hosts that a record makes its member's own. */
export const hostsOf = ({
  hostname,
  dnsNames,
  addresses,
}: Pick<MemberRecordSpec, "hostname" | "dnsNames" | "addresses">): readonly string[] => [
  ...[hostname, ...dnsNames, ...addresses].map(hostKey),
];

function problemWith(name: string, { by, hostname }: Holder): string {
  const shown = JSON.stringify(name);
  const of = JSON.stringify(hostname);
  if (by === "endpoint")
    return (
      `${shown} is the endpoint of the cluster: leave it out, or put it into machine.certSANs of the ` +
      "control planes if nodes are to serve it"
    );
  if (by === "certificate")
    return (
      `${shown} is in a certificate of the member ${of} that has not ended: leave it out, wait for the ` +
      "end of that, or remove that member if it is gone"
    );
  return (
    `${shown} is on record as that of the member ${of}: leave it out, or remove that member if it is ` +
    "gone"
  );
}
