/** Names that a machine may have: each becomes a common name and a DNS name of its certificates. */
import { addressOctets, isDnsName } from "#pki";

/** ub-common-name of RFC 5280, appendix A.1. */
const LENGTH_MAX = 64;

/** Tells why a text cannot be the name of a machine. */
export function hostnameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name.length > LENGTH_MAX) return `it is longer than ${LENGTH_MAX} characters`;
  if (addressOctets(name) !== undefined) return "it is an address; a name belongs here";
  if (name.startsWith("*")) return "it is a wildcard";
  if (name.endsWith(".")) return "it ends in a dot";
  return isDnsName(name)
    ? undefined
    : "it is not a DNS name: labels of letters, digits and inner hyphens, 63 at most each, with dots between";
}
