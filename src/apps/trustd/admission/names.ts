/** The names that a request asks for, in the form that names are compared in. */
import { canonicalAddress, commonName, matchesDnsName, type Csr } from "#pki";

/** The names of a serving certificate. */
export interface Names {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  /** In canonical text, where they are addresses. */
  readonly ipAddresses: readonly string[];
}

/** What is asked for by a request. */
export const namesOf = ({ subject, dnsNames, ipAddresses }: Csr): Names => ({
  commonName: commonName(subject) ?? "",
  dnsNames,
  ipAddresses: ipAddresses.map((address) => canonicalAddress(address) ?? address),
});

/** A name and the field that it stands in. */
export interface NameAt {
  readonly field: "commonName" | "dnsNames" | "ipAddresses";
  readonly name: string;
}

/** Every name, the common name among them. */
export const namesAt = ({ commonName: name, dnsNames, ipAddresses }: Names): readonly NameAt[] => [
  ...(name === "" ? [] : [{ field: "commonName" as const, name }]),
  ...dnsNames.map((name) => ({ field: "dnsNames" as const, name })),
  ...ipAddresses.map((name) => ({ field: "ipAddresses" as const, name })),
];

/** One form for each host: addresses as RFC 5952 has them, names in lower case without a final dot. */
export const hostKey = (name: string): string =>
  canonicalAddress(name) ?? name.toLowerCase().replace(/\.$/, "");

/** These are every machine's own, whoever is on record with them. */
export const EVERYBODYS: ReadonlySet<string> = new Set(["127.0.0.1", "::1"]);

/** The name of a host by itself; undefined where there is no other than the whole. */
export function shortName(host: string): string | undefined {
  const [label = ""] = hostKey(host).split(".");
  const isName = canonicalAddress(host) === undefined && label !== "" && label !== "*";
  return isName ? label : undefined;
}

/** Whether a name that is asked for stands for a host, itself or by its wildcard. */
export const covers = (asked: string, host: string): boolean =>
  asked === host || (asked.startsWith("*.") && matchesDnsName(asked, host));
