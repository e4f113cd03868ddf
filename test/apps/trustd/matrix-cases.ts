/**
 * What is decided of whom: operation × token × names, by tables that know nothing of the code. A cell is
 * refused by the first of the rules that its row, its column and its operation name, and granted where
 * they name none.
 */
import { days, hours } from "#runtime";
import { ID, MACHINE_TOKEN } from "./cluster.ts";

/** Words that a refusal has, in the order in which the rules are applied. */
export const rules = {
  missing: /^missing token$/,
  invalid: /^invalid token$/,
  gone: /is no member of this cluster/,
  forged: /rule "proof of the member": formerSignature: /,
  token: /rule "token": token: joint1 /,
  denied: /rule "membership": formerCrt: /,
  proof: /rule "proof of the member": nodeId: /,
  bounds: /rule "bounds": (commonName|dnsNames|ipAddresses): /,
  others: /rule "names of others": (commonName|dnsNames|ipAddresses): /,
  strict: /rule "strict join": ipAddresses: /,
  wildcards: /rule nodeServer\.wildcards, /,
  namesMax: /rule nodeServer\.namesMax, /,
} as const;

export type RuleOf = keyof typeof rules;

const JOIN_TOKEN = "joint1.0123456789abcdef";
const FORMER_TOKEN = "former.0123456789abcdef";

/** A token as it is presented, and as the cluster knows it. */
export interface TokenCase {
  readonly presented: string | undefined;
  /** Of the join token, which is good for any number of workers where nothing else is said. */
  readonly spec?: {
    readonly uses?: number;
    readonly used?: number;
    readonly notAfter?: number;
    readonly revoked?: number;
    readonly isBound?: true;
  };
  /** `machine.token` is not taken. */
  readonly isOff?: true;
  /** How long the token before `machine.token` is taken, from the start. */
  readonly overlap?: number;
  /** By which rules nobody gets anything with it. */
  readonly refuses: readonly RuleOf[];
  /** What a request that was answered gets when it is repeated, if that differs. */
  readonly repeat?: readonly RuleOf[];
}

const single = { uses: 1 };

export const tokens: Readonly<Record<string, TokenCase>> = {
  missing: { presented: undefined, refuses: ["missing"] },
  wrong: { presented: "joint1.0000000000000000", refuses: ["invalid"] },
  "another cluster's": { presented: "otherc.0123456789abcdef", refuses: ["invalid"] },
  "machine.token": { presented: MACHINE_TOKEN, refuses: [] },
  "machine.token, switched off": { presented: MACHINE_TOKEN, isOff: true, refuses: ["invalid"] },
  "machine.token before, taken": { presented: FORMER_TOKEN, overlap: days(3), refuses: [] },
  "machine.token before, ended": { presented: FORMER_TOKEN, overlap: -1, refuses: ["invalid"] },
  unlimited: { presented: JOIN_TOKEN, refuses: [] },
  "single-use, unspent": { presented: JOIN_TOKEN, spec: single, refuses: [], repeat: [] },
  "single-use, spent": {
    ...{ presented: JOIN_TOKEN, spec: { ...single, used: 1 } },
    ...{ refuses: ["token"], repeat: [] },
  },
  "counted, one left": { presented: JOIN_TOKEN, spec: { uses: 5, used: 4 }, refuses: [] },
  "counted, none left": {
    ...{ presented: JOIN_TOKEN, spec: { uses: 5, used: 5 } },
    ...{ refuses: ["token"], repeat: [] },
  },
  ending: { presented: JOIN_TOKEN, spec: { notAfter: days(3) }, refuses: [] },
  ended: { presented: JOIN_TOKEN, spec: { notAfter: 0 }, refuses: ["token"] },
  revoked: { presented: JOIN_TOKEN, spec: { revoked: -1 }, refuses: ["token"] },
  bound: { presented: JOIN_TOKEN, spec: { isBound: true }, refuses: [] },
};

/** What a bound one is bound to. */
export const BOUNDS = { dnsNames: ["*.example.com", "worker-1"], addresses: ["10.0.0.0/24"] };

/** Names as they are asked for. */
export interface NamesCase {
  readonly commonName?: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** By which rules nobody gets them. */
  readonly refuses?: readonly RuleOf[];
  /** They lie outside of {@link BOUNDS}. */
  readonly isOutside?: true;
  /** They have an address that is not the peer's, nor the member's. */
  readonly isForeign?: true;
}

const own = ["worker-1.example.com", "worker-1"];

export const names: Readonly<Record<string, NamesCase>> = {
  "its own": {},
  "its own, as an administrator": { organizations: ["os:admin", "trustplane:node"] },
  "certSANs and what every machine has": {
    dnsNames: [...own, "api.example.com"],
    ipAddresses: ["10.0.0.7", "10.0.0.100", "127.0.0.1", "::1"],
  },
  "certSANs that no bounds have": {
    ...{ dnsNames: [...own, "cluster.example.net"], ipAddresses: ["10.0.0.7", "192.0.2.100"] },
    isOutside: true,
  },
  "a loopback address that is nobody's": {
    ...{ ipAddresses: ["10.0.0.7", "127.0.0.9"], isOutside: true },
  },
  "one more address": { ipAddresses: ["10.0.0.7", "10.0.0.77"], isForeign: true },
  "a name and an address from elsewhere": {
    ...{ dnsNames: [...own, "worker-1.example.org"], ipAddresses: ["192.0.2.7"] },
    ...{ isOutside: true, isForeign: true },
  },
  "a member's hostname": { dnsNames: [...own, "worker-2.example.com"], refuses: ["others"] },
  "a member's hostname, in capitals, as common name": {
    ...{ commonName: "WORKER-2.example.com", dnsNames: ["WORKER-2.example.com"] },
    ...{ refuses: ["others"] },
  },
  "a control plane's hostname": { dnsNames: [...own, "cp-1.example.com"], refuses: ["others"] },
  "a control plane's short name": {
    ...{ dnsNames: [...own, "cp-1"], refuses: ["others"], isOutside: true },
  },
  "another name of a member": {
    ...{ dnsNames: [...own, "registry.example.com"], refuses: ["others"] },
  },
  "the short name of a member, by a common name of its own": {
    ...{
      commonName: "worker-2.apps.example.com",
      dnsNames: ["worker-2.apps.example.com", "worker-2"],
    },
    ...{ refuses: ["others"], isOutside: true },
  },
  "a control plane's hostname that is among certSANs": {
    ...{ dnsNames: [...own, "cp-1.example.net"], isOutside: true },
  },
  "a member's address": {
    ...{ ipAddresses: ["10.0.0.7", "10.0.0.8"], refuses: ["others"], isForeign: true },
  },
  "a control plane's address, mapped into IPv6": {
    ...{ ipAddresses: ["10.0.0.7", "::ffff:10.0.0.1"], refuses: ["others"], isForeign: true },
  },
  "a control plane's loopback address": {
    ...{ ipAddresses: ["10.0.0.7", "127.0.0.2"], refuses: ["others"], isOutside: true },
  },
  "a wildcard over a member": {
    ...{ dnsNames: [...own, "*.example.com"], refuses: ["others", "wildcards"] },
  },
  "a wildcard over nobody": {
    ...{ dnsNames: [...own, "*.apps.example.com"], refuses: ["wildcards"], isOutside: true },
  },
  "too many": {
    dnsNames: [...own, ...Array.from({ length: 100 }, (_, i) => `n${i}.example.com`)],
    refuses: ["namesMax"],
  },
};

/** What is asked, and by whom. */
export interface OperationCase {
  readonly call: "certificate" | "join" | "renew";
  /** The node is on record with its identity; the time that has passed since. */
  readonly memberSince?: number;
  readonly proof?: "good" | "forged" | "denied";
  /** The request was answered before. */
  readonly isRepeat?: true;
  /** It is a member no longer. */
  readonly isGone?: true;
  /** By which rules nobody gets anything by it. */
  readonly refuses?: readonly RuleOf[];
}

const lately = hours(1);

export const operations: Readonly<Record<string, OperationCase>> = {
  certificate: { call: "certificate" },
  join: { call: "join" },
  "join again, with proof": { call: "join", memberSince: lately, proof: "good" },
  "join again, with proof that has ended": {
    ...{ call: "join", memberSince: hours(40), proof: "good" },
  },
  "join again, without proof": { call: "join", memberSince: lately, refuses: ["proof"] },
  "join again, with another's proof": {
    ...{ call: "join", memberSince: lately, proof: "forged", refuses: ["forged"] },
  },
  "join again, removed, with proof": {
    ...{ call: "join", memberSince: lately, proof: "denied", isGone: true, refuses: ["denied"] },
  },
  "join again, removed": { call: "join", memberSince: lately, isGone: true },
  renew: { call: "renew", memberSince: lately },
  "renew, removed": { call: "renew", memberSince: lately, isGone: true, refuses: ["gone"] },
  "repeat of a join": { call: "join", isRepeat: true },
  "repeat of a renewal": { call: "renew", memberSince: lately, isRepeat: true },
};

export const NODE = ID.worker;
