/** Names that a certificate may be for: DNS names and addresses. */
import { addressOctets, isDnsName } from "#pki";

/** Tells why a text is neither a DNS name nor an address. */
export const certSanProblem = (text: string): string | undefined =>
  addressOctets(text) !== undefined || isDnsName(text.replace(/\.$/, ""))
    ? undefined
    : `${JSON.stringify(text)} is neither a DNS name nor an IP address`;

/** Tells whether a text can be the domain of a cluster: the API server gets names below it. */
export const isClusterDomain = (text: string): boolean =>
  isDnsName(`kubernetes.default.svc.${text.replace(/\.$/, "")}`);
