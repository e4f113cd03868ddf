/** The rules of a policy as a table: what each looks at, and what it says of a value. */
import { keyUsageBits } from "../extensions.ts";
import { usageOids } from "../oids.ts";
import { commonName, organizations } from "../name.ts";
import { readDuration } from "../duration.ts";
import { PolicyInvalidError } from "../errors.ts";
import { SKEW } from "../authority.ts";
import { addressMatcher, hostMatcher, textMatcher } from "./patterns.ts";
import type { Judged, RuleName } from "./policy.ts";

/** Why a value is refused; undefined when it is not. */
type Why = (value: string, judged: Judged) => string | undefined;

/** One rule of one profile. */
export interface Check {
  readonly rule: string;
  readonly field: string;
  /** None where a request says nothing of it: whoever signs decides. */
  readonly values: (judged: Judged) => readonly string[];
  readonly why: Why;
}

interface Rule extends Omit<Check, "rule" | "why"> {
  /** @throws {PolicyInvalidError} naming `path` when the bound is not of the rule's kind */
  readonly compile: (bound: unknown, path: string) => Why;
}

const COMMON_NAME = "subject.commonName";
const ORGANIZATION = "subject.organizationName";
const DNS_NAME = "subjectAltName.dNSName";
const ADDRESS = "subjectAltName.iPAddress";

const commonNameOf = ({ subject }: Judged): string => commonName(subject) ?? "";
const organizationsOf = ({ subject }: Judged) => organizations(subject);
const dnsNamesOf = ({ dnsNames }: Judged) => dnsNames;
const addressesOf = ({ ipAddresses }: Judged) => ipAddresses;

/** Whose names are too many is not looked at name by name: that rule comes first. */
export const rules: Readonly<Record<RuleName, Rule>> = {
  namesMax: {
    field: "subjectAltName",
    values: ({ dnsNames, ipAddresses }) => [String(dnsNames.length + ipAddresses.length)],
    compile(bound, path) {
      const most = count(bound, path);
      return (value) =>
        Number(value) > most ? `there may be at most ${most} names and addresses` : undefined;
    },
  },
  commonNames: {
    field: COMMON_NAME,
    values: (judged) => [commonNameOf(judged)],
    compile: (bound, path) => only(textMatcher(texts(bound, path)), texts(bound, path)),
  },
  commonNameIsName: {
    field: COMMON_NAME,
    values: (judged) => [commonNameOf(judged)],
    compile(bound, path) {
      if (!flag(bound, path)) return allowed;
      return (value, { dnsNames, ipAddresses }) =>
        value === "" || dnsNames.includes(value) || ipAddresses.includes(value)
          ? undefined
          : "it is none of the names and addresses of the certificate";
    },
  },
  organizations: {
    field: ORGANIZATION,
    values: organizationsOf,
    compile: (bound, path) => only(textMatcher(texts(bound, path)), texts(bound, path)),
  },
  excludedOrganizations: {
    field: ORGANIZATION,
    values: organizationsOf,
    compile: (bound, path) => without(textMatcher(texts(bound, path))),
  },
  dnsNames: {
    field: DNS_NAME,
    values: dnsNamesOf,
    compile: (bound, path) => only(hostMatcher(texts(bound, path), path), texts(bound, path)),
  },
  excludedDnsNames: {
    field: DNS_NAME,
    values: dnsNamesOf,
    compile: (bound, path) => without(hostMatcher(texts(bound, path), path)),
  },
  wildcards: {
    field: DNS_NAME,
    values: dnsNamesOf,
    compile: (bound, path) =>
      flag(bound, path)
        ? allowed
        : (value) => (value.includes("*") ? "wildcards are not allowed" : undefined),
  },
  addresses: {
    field: ADDRESS,
    values: addressesOf,
    compile: (bound, path) => only(addressMatcher(texts(bound, path), path), texts(bound, path)),
  },
  excludedAddresses: {
    field: ADDRESS,
    values: addressesOf,
    compile: (bound, path) => without(addressMatcher(texts(bound, path), path)),
  },
  keyUsages: {
    field: "keyUsage",
    values: ({ keyUsages }) => (keyUsages === undefined ? [] : [keyUsages.join(", ")]),
    compile: (bound, path) =>
      exactly(words(bound, path, keyUsageBits), ({ keyUsages }) => keyUsages),
  },
  extKeyUsages: {
    field: "extKeyUsage",
    values: ({ extKeyUsages }) => (extKeyUsages === undefined ? [] : [extKeyUsages.join(", ")]),
    compile: (bound, path) =>
      exactly(words(bound, path, purposes, DOTTED), ({ extKeyUsages }) => extKeyUsages),
  },
  lifetimeMax: {
    field: "validity",
    values({ notBefore, notAfter }) {
      if (notBefore === undefined || notAfter === undefined) return [];
      return [durationText(notAfter - notBefore)];
    },
    compile(bound, path) {
      const most = duration(bound, path);
      return (_, { notBefore = 0, notAfter = 0 }) =>
        notAfter - notBefore > most + SKEW
          ? `it may be ${String(bound)}, and the ${durationText(SKEW)} that it is backdated by`
          : undefined;
    },
  },
  keyAlgorithms: {
    field: "subjectPublicKeyInfo",
    values: ({ publicKey }) => [publicKey.algorithm],
    compile(bound, path) {
      const names = keyAlgorithms(bound, path);
      const bitsMin = Math.min(...names.flatMap((name) => rsaBits(name) ?? []));
      return (value) =>
        names.includes(value) || (rsaBits(value) ?? 0) >= bitsMin ? undefined : allowedAre(names);
    },
  },
};

const allowed: Why = () => undefined;

const only =
  (matches: (value: string) => boolean, patterns: readonly string[]): Why =>
  (value) =>
    matches(value) ? undefined : allowedAre(patterns);

const without =
  (matches: (value: string) => boolean): Why =>
  (value) =>
    matches(value) ? "it is excluded" : undefined;

function exactly(
  wanted: readonly string[],
  usages: (judged: Judged) => readonly string[] | undefined,
): Why {
  const set = new Set(wanted);
  const isSame = (list: readonly string[]) =>
    list.length === set.size && list.every((usage) => set.has(usage));
  return (_, judged) =>
    isSame(usages(judged) ?? [])
      ? undefined
      : `it has to be ${wanted.length > 0 ? wanted.join(", ") : "absent"}`;
}

const SHOWN_MAX = 8;

function allowedAre(patterns: readonly string[]): string {
  if (patterns.length === 0) return "none is allowed";
  const more = patterns.length > SHOWN_MAX ? ` and ${patterns.length - SHOWN_MAX} more` : "";
  const shown = patterns.slice(0, SHOWN_MAX).map((pattern) => JSON.stringify(pattern));
  return `allowed ${patterns.length > 1 ? "are" : "is"} ${shown.join(", ")}${more}`;
}

function texts(bound: unknown, path: string): readonly string[] {
  if (!Array.isArray(bound)) throw new PolicyInvalidError(path, "it has to be a list of texts");
  for (const [index, text] of bound.entries())
    if (typeof text !== "string")
      throw new PolicyInvalidError(`${path}[${index}]`, "it has to be a text");
  return bound as readonly string[];
}

const purposes = Object.keys(usageOids);
const DOTTED = /^[0-2](?:\.\d+)+$/;

/** Of a closed list, or of a form. */
function words(
  bound: unknown,
  path: string,
  known: readonly string[],
  form?: RegExp,
): readonly string[] {
  const given = texts(bound, path);
  for (const [index, word] of given.entries())
    if (!known.includes(word) && form?.test(word) !== true)
      throw new PolicyInvalidError(
        `${path}[${index}]`,
        `${JSON.stringify(word)} is none of ${known.join(", ")}`,
      );
  return given;
}

function flag(bound: unknown, path: string): boolean {
  if (typeof bound !== "boolean") throw new PolicyInvalidError(path, "it has to be true or false");
  return bound;
}

function count(bound: unknown, path: string): number {
  if (typeof bound !== "number" || !Number.isSafeInteger(bound) || bound < 0)
    throw new PolicyInvalidError(path, "it has to be a whole number, 0 or more");
  return bound;
}

function duration(bound: unknown, path: string): number {
  const read = typeof bound === "string" ? readDuration(bound) : undefined;
  if (read === undefined || read <= 0)
    throw new PolicyInvalidError(path, "it has to be a duration, as 24h or 90m");
  return read;
}

const rsaBits = (algorithm: string): number | undefined => {
  const [, bits] = /^RSA-(\d{4,5})$/.exec(algorithm) ?? [];
  return bits === undefined ? undefined : Number(bits);
};

function keyAlgorithms(bound: unknown, path: string): readonly string[] {
  const names = texts(bound, path);
  for (const [index, name] of names.entries())
    if (!/^(?:Ed25519|P-256|P-384|P-521)$/.test(name) && rsaBits(name) === undefined)
      throw new PolicyInvalidError(
        `${path}[${index}]`,
        `${JSON.stringify(name)} is no kind of key: there is Ed25519, P-256, P-384, P-521, and RSA-2048 as ` +
          "RSA of so many bits or more",
      );
  return names;
}

/** As Go's durations, and without what is zero: `24h15m`. */
function durationText(duration: number): string {
  const seconds = Math.floor(duration / 1000);
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  return parts.flatMap(([n, unit]) => (n > 0 ? `${n}${unit}` : [])).join("") || "0s";
}
