/** What a token bounds: the names and addresses that may be asked for with it, and at renewals after. */
import { inNetworks } from "#config";
import { canonicalAddress, matchesDnsName, type Bounds } from "#pki";
import { EVERYBODYS, hostKey, namesAt, shortName, type Names } from "./names.ts";
import type { Objection } from "./objection.ts";

/**
 * Finds the first name that lies outside; what every machine has is not looked at, nor the short name of a
 * common name within. Names of the whole cluster are: who may serve them under a bound token is for its
 * bounds to say.
 */
export function outsideBounds(names: Names, bounds: Bounds | null): Objection | undefined {
  if (bounds === null) return undefined;
  const short = impliedName(names, bounds);
  for (const { field, name } of namesAt(names)) {
    const key = hostKey(name);
    if (EVERYBODYS.has(key) || key === short) continue;
    const isAddress = canonicalAddress(key) !== undefined;
    const allowed = isAddress ? bounds.addresses : bounds.dnsNames;
    const isWithin = isAddress ? isAddressWithin : isNameWithin;
    if (allowed.length > 0 && !isWithin(key, allowed))
      return {
        rule: "bounds",
        field,
        problem: `${JSON.stringify(name)} is none of ${allowed.join(", ")}, which the token is bound to`,
      };
  }
  return undefined;
}

const isAddressWithin = (address: string, allowed: readonly string[]): boolean =>
  allowed.some((one) => canonicalAddress(one) === address) || inNetworks(address, allowed);

const isNameWithin = (name: string, allowed: readonly string[]): boolean =>
  allowed.some((pattern) => pattern.toLowerCase() === name || matchesDnsName(pattern, name));

/** A node goes by its short name, too: it comes with the common name. */
const impliedName = ({ commonName }: Names, { dnsNames }: Bounds): string | undefined =>
  isNameWithin(hostKey(commonName), dnsNames) ? shortName(commonName) : undefined;

/** The same for the gate that looks at the certificate: what is not looked at is among what it allows. */
export function gateBounds(names: Names, bounds: Bounds | null): Bounds | undefined {
  if (bounds === null) return undefined;
  const { dnsNames, addresses } = bounds;
  const short = impliedName(names, bounds);
  return {
    dnsNames: short === undefined ? dnsNames : [...dnsNames, short],
    addresses: addresses.length === 0 ? [] : [...addresses, ...EVERYBODYS],
  };
}
