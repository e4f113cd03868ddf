/** Names that a certificate may be for: DNS names and addresses. */
import { addressOctets, isDnsName } from "#pki";

/** Tells why a text is neither a DNS name nor an address. */
export const certSanProblem = (text: string): string | undefined =>
  addressOctets(text) !== undefined || isDnsName(text.replace(/\.$/, ""))
    ? undefined
    : `${JSON.stringify(text)} is neither a DNS name nor an IP address`;
