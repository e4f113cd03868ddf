/** Whether a certificate is for a host: RFC 6125 §6.4, RFC 9525 §6; the common name never counts. */
import { addressOctets, isDnsName } from "../address.ts";
import type { Certificate } from "../certificate.ts";

/** The host that a certificate has to name. */
export type HostName = { readonly dns: string } | { readonly ip: string };

/** Tells whether one of the subject's alternative names is the host. */
export function isFor(certificate: Certificate, host: HostName): boolean {
  if ("dns" in host) {
    const { dns } = host;
    return certificate.dnsNames.some((presented) => matchesDnsName(presented, dns));
  }
  const wanted = addressOctets(host.ip);
  return (
    wanted !== undefined &&
    certificate.ipAddresses.some((text) => sameOctets(addressOctets(text), wanted))
  );
}

/**
 * Tells whether a name of a certificate stands for a host. A wildcard is the whole first label and
 * stands for one label; a name that is not a DNS name (an address, say) matches nothing.
 */
export function matchesDnsName(presented: string, wanted: string): boolean {
  const host = wanted.replace(/\.$/, "").toLowerCase();
  // What is presented equals the host but for its first label: only one has to be looked at.
  if (!isDnsName(host) || host.startsWith("*")) return false;
  const name = presented.toLowerCase();
  return (
    name === host || (name.startsWith("*.") && host.slice(host.indexOf(".")) === name.slice(1))
  );
}

/** A host in a sentence; text of a certificate cannot drive a terminal there. */
export const describeHost = (host: HostName): string =>
  "dns" in host ? `DNS ${JSON.stringify(host.dns)}` : `IP ${JSON.stringify(host.ip)}`;

const SHOWN_MAX = 8;

/** The hosts that a certificate is for, in a sentence. */
export function hostsOf({ dnsNames, ipAddresses }: Certificate): string {
  const hosts = [...dnsNames.map((dns) => ({ dns })), ...ipAddresses.map((ip) => ({ ip }))];
  if (hosts.length === 0) return "no host";
  const more = hosts.length > SHOWN_MAX ? ` and ${hosts.length - SHOWN_MAX} more` : "";
  return hosts.slice(0, SHOWN_MAX).map(describeHost).join(", ") + more;
}

const sameOctets = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;
