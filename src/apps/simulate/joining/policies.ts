/**
 * The policies that the operator of a simulated cluster applies in turn, each as data for the cluster and
 * as a predicate that judges a finished certificate, written by another hand than the policy gate.
 */
import { hours, minutes } from "#runtime";
import type { Facts } from "../properties/certificate.ts";

/** What nodes are issued. */
export type Use = "serving" | "identity";

export interface SimulatedPolicy {
  /** Rules besides those of the policy that a node begins with, by profile. */
  readonly rules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What it forbids in a certificate. */
  readonly breaches: (facts: Facts, use: Use) => readonly string[];
}

/** Names and addresses of a certificate, as node:crypto prints them. */
export function hostsOf({ certificate }: Facts): readonly string[] {
  const list = certificate.subjectAltName ?? "";
  return list === ""
    ? []
    : list.split(", ").map((entry) => entry.replace(/^(?:DNS|IP Address):/, ""));
}

const isAddress = (host: string): boolean => /^[0-9.]+$|:/.test(host);

/** OIDs of extended key usages. */
const USAGES: Readonly<Record<Use, string>> = {
  serving: "1.3.6.1.5.5.7.3.1",
  identity: "1.3.6.1.5.5.7.3.2",
};
const LONGEST = hours(24) + minutes(15);

/** What Talos would never issue to a node, nor we an identity. */
function unlikeTalos(facts: Facts, use: Use): readonly string[] {
  const { certificate, notBefore, notAfter } = facts;
  const organizations = certificate.subject.split("\n").filter((one) => one.startsWith("O="));
  const expected = use === "identity" ? ["O=trustplane:node"] : [];
  const hosts = hostsOf(facts);
  return [
    ...(certificate.ca ? ["it is an authority"] : []),
    ...(String(certificate.keyUsage) === USAGES[use] ? [] : [`its usage is not for ${use}`]),
    ...(String(organizations) === String(expected)
      ? []
      : [`its subject has ${String(organizations)}`]),
    ...(notAfter - notBefore <= LONGEST ? [] : ["it lasts longer than a day"]),
    ...(hosts.some((host) => host.includes("*")) ? ["it has a wildcard"] : []),
    ...(use === "identity" && hosts.length > 0 ? ["an identity has names"] : []),
  ];
}

const MANY = 6;

/** By name; each forbids what the first does, and more. */
export const policies: Readonly<Record<string, SimulatedPolicy>> = {
  default: { rules: {}, breaches: unlikeTalos },
  loopback: {
    rules: { nodeServer: { addresses: ["127.0.0.0/8", "::1"] } },
    breaches: (facts, use) => [
      ...unlikeTalos(facts, use),
      ...hostsOf(facts)
        .filter((host) => isAddress(host) && !/^127\.|^(?:0:){7}1$|^::1$/.test(host))
        .map((host) => `it has the address ${host}`),
    ],
  },
  few: {
    rules: { nodeServer: { namesMax: MANY } },
    breaches: (facts, use) => [
      ...unlikeTalos(facts, use),
      ...(hostsOf(facts).length > MANY ? [`it has more than ${String(MANY)} names`] : []),
    ],
  },
};
