/** The checks on one certificate of a path, as a table: RFC 5280 §6.1.3, §6.1.4, §6.1.5. */
import { rfc3339, type Instant } from "#runtime";
import type { Certificate } from "../certificate.ts";
import { sameName } from "../name.ts";
import { describeHost, hostsOf, isFor, type HostName } from "./names.ts";
import { breachOf } from "./profile.ts";
import { allowsKeyUsage, allowsUsage, type Usage } from "./usage.ts";
import { describe, validity, type ChainCode, type ChainFault } from "./verdict.ts";

/** What a chain has to be good for. */
export interface Demands {
  /** Whole seconds, as the dates of certificates are. */
  readonly now: Instant;
  readonly usage: Usage;
  readonly name?: HostName;
  /** The most intermediates, self-issued ones not counted. */
  readonly maxDepth: number;
  readonly strict: boolean;
}

/** Where a certificate stands in a path. */
export interface Place {
  readonly role: "leaf" | "authority";
  /** It is accepted as it is. */
  readonly anchor: boolean;
  /** Intermediates under it, self-issued ones not counted. */
  readonly below: number;
}

interface Check {
  readonly code: ChainCode;
  readonly role?: Place["role"];
  /** The rest of a sentence that begins with the certificate; undefined where nothing is wrong. */
  find(certificate: Certificate, demands: Demands, place: Place): string | undefined;
}

const RSA_BITS_MIN = 2048;

const checks: readonly Check[] = [
  {
    code: "ERR_CHAIN_EXPIRED",
    find: (certificate, { now }) =>
      now > certificate.notAfter
        ? `expired at ${rfc3339(certificate.notAfter)}; it was ${validity(certificate)}, and now is ${rfc3339(now)}`
        : undefined,
  },
  {
    code: "ERR_CHAIN_NOT_YET_VALID",
    find: (certificate, { now }) =>
      now < certificate.notBefore
        ? `is not valid before ${rfc3339(certificate.notBefore)}; it is ${validity(certificate)}, and now is ${rfc3339(now)}`
        : undefined,
  },
  {
    code: "ERR_CHAIN_NAME_MISMATCH",
    role: "leaf",
    find: (certificate, { name }) =>
      name !== undefined && !isFor(certificate, name)
        ? `is for ${hostsOf(certificate)}, not for ${describeHost(name)}`
        : undefined,
  },
  {
    code: "ERR_CHAIN_CRITICAL_EXTENSION",
    find: ({ unknownCritical }) =>
      unknownCritical.length > 0
        ? `has critical extensions that are not understood: ${unknownCritical.join(", ")}`
        : undefined,
  },
  {
    code: "ERR_CHAIN_WEAK_KEY",
    find({ publicKey: { algorithm } }) {
      const bits = /^RSA-(\d+)$/.exec(algorithm)?.[1];
      return bits !== undefined && Number(bits) < RSA_BITS_MIN
        ? `has an RSA key of ${bits} bits, fewer than ${RSA_BITS_MIN}`
        : undefined;
    },
  },
  {
    code: "ERR_CHAIN_NOT_AUTHORITY",
    role: "authority",
    find({ version, isCa }) {
      if (version < 3) return `signed another, but as version ${version} it cannot be an authority`;
      return isCa ? undefined : "signed another, but its basicConstraints make it no authority";
    },
  },
  {
    code: "ERR_CHAIN_KEY_USAGE",
    role: "authority",
    find: (certificate) =>
      allowsKeyUsage(certificate, "keyCertSign")
        ? undefined
        : "signed another, but its keyUsage lacks keyCertSign",
  },
  {
    code: "ERR_CHAIN_KEY_USAGE",
    role: "leaf",
    find: (certificate, { usage }) =>
      usage === "any" || allowsKeyUsage(certificate, "digitalSignature")
        ? undefined
        : `is to be used for ${usage}, but its keyUsage lacks digitalSignature`,
  },
  {
    code: "ERR_CHAIN_EXT_KEY_USAGE",
    find: (certificate, { usage }) =>
      allowsUsage(certificate, usage)
        ? undefined
        : `is not for ${usage}: its extKeyUsage is ${certificate.extKeyUsages.join(", ")}`,
  },
  {
    code: "ERR_CHAIN_PATH_LENGTH",
    role: "authority",
    find: ({ pathLength }, _demands, { below }) =>
      pathLength !== undefined && below > pathLength
        ? `has authorities below it in the path (${below}), but its pathLenConstraint is ${pathLength}`
        : undefined,
  },
  {
    code: "ERR_CHAIN_DEPTH",
    role: "authority",
    find: (certificate, { maxDepth }, { anchor, below }) =>
      !anchor && below + (isSelfIssued(certificate) ? 0 : 1) > maxDepth
        ? `would be intermediate ${below + 1} of the path, which may have ${maxDepth} at most`
        : undefined,
  },
  {
    code: "ERR_CHAIN_PROFILE",
    find: (certificate, { strict }, { anchor }) =>
      strict ? breachOf(certificate, anchor) : undefined,
  },
];

/** Subject and issuer are the same: RFC 5280 §6.1 exempts such intermediates from some rules. */
export const isSelfIssued = ({ subject, issuer }: Certificate): boolean =>
  sameName(subject, issuer);

/** The first thing that is wrong with a certificate at its place. */
export function faultOf(
  certificate: Certificate,
  demands: Demands,
  place: Place,
): ChainFault | undefined {
  for (const check of checks) {
    if (check.role !== undefined && check.role !== place.role) continue;
    const problem = check.find(certificate, demands, place);
    if (problem !== undefined)
      return { code: check.code, reason: `${describe(certificate)} ${problem}` };
  }
  return undefined;
}
