/** Extensions as a table: how each is read, and how those that are issued are written. */
import type { Extension, ExtensionFacts, KeyUsage, NameConstraints } from "./certificate.ts";
import { DerReader, wholeSequence } from "./der/reader.ts";
import { explicit, implicit, tags } from "./der/tags.ts";
import { boolean, element, flags, octetString, oid, sequence } from "./der/writer.ts";
import { DerError } from "./errors.ts";
import {
  dnsName,
  ipAddress,
  readGeneralName,
  readSubtreeBase,
  type GeneralName,
  type GeneralSubtree,
} from "./general-name.ts";
import { extensionOids, usageOids } from "./oids.ts";

/** In the order of their bits. */
export const keyUsageBits: readonly KeyUsage[] = [
  "digitalSignature",
  "contentCommitment",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
];

const usageNames: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(usageOids).map(([name, dotted]) => [dotted, name]),
);

type Facts = { -readonly [K in keyof ExtensionFacts]: ExtensionFacts[K] };

const PATH_LENGTH_MAX = 255;

const readers: Readonly<Record<string, (value: Uint8Array) => Partial<Facts>>> = {
  [extensionOids.keyUsage](value) {
    const reader = new DerReader(value);
    const bits = reader.flags("keyUsage");
    reader.end("keyUsage");
    return { keyUsages: bits.flatMap((bit) => keyUsageBits[bit] ?? []) };
  },
  [extensionOids.extKeyUsage](value) {
    const usages = listIn(wholeSequence(value, "extKeyUsage"), (list) => {
      const dotted = list.oid("extKeyUsage");
      return usageNames[dotted] ?? dotted;
    });
    return { extKeyUsages: usages };
  },
  [extensionOids.basicConstraints](value) {
    const reader = wholeSequence(value, "basicConstraints");
    const isCa = reader.tag === tags.boolean && reader.boolean("cA");
    if (reader.done) return { isCa };
    const pathLength = reader.count("pathLenConstraint", PATH_LENGTH_MAX);
    reader.end("basicConstraints");
    return { isCa, pathLength };
  },
  [extensionOids.subjectKeyIdentifier](value) {
    const reader = new DerReader(value);
    const subjectKeyId = reader.read(tags.octetString, "subjectKeyIdentifier");
    reader.end("subjectKeyIdentifier");
    return { subjectKeyId };
  },
  [extensionOids.authorityKeyIdentifier](value) {
    const reader = wholeSequence(value, "authorityKeyIdentifier");
    const authorityKeyId = reader.optional(implicit(0), "keyIdentifier");
    reader.optional(explicit(1), "authorityCertIssuer");
    reader.optional(implicit(2), "authorityCertSerialNumber");
    reader.end("authorityKeyIdentifier");
    return authorityKeyId === undefined ? {} : { authorityKeyId };
  },
  [extensionOids.subjectAltName](value) {
    const names = listIn(wholeSequence(value, "subjectAltName"), readGeneralName);
    return { subjectAltNames: names, ...namesByKind(names) };
  },
  [extensionOids.nameConstraints](value) {
    const reader = wholeSequence(value, "nameConstraints");
    if (reader.done) throw new DerError("nameConstraints is empty");
    const subtrees = (n: number): GeneralSubtree[] => {
      const list = reader.enterOptional(explicit(n), "subtrees");
      return list === undefined ? [] : listIn(list, readSubtree);
    };
    const nameConstraints: NameConstraints = { permitted: subtrees(0), excluded: subtrees(1) };
    reader.end("nameConstraints");
    return { nameConstraints };
  },
};

/** A list of one member at least. */
function listIn<Member>(list: DerReader, read: (list: DerReader) => Member): Member[] {
  const members: Member[] = [];
  do members.push(read(list));
  while (!list.done);
  return members;
}

function readSubtree(list: DerReader): GeneralSubtree {
  const subtree = list.sequence("subtree");
  const base = readSubtreeBase(subtree);
  const minimum = subtree.optional(implicit(0), "minimum");
  // RFC 5280 §4.2.1.10: minimum is zero and maximum absent, always.
  if (minimum !== undefined && (minimum.length !== 1 || minimum[0] !== 0))
    throw new DerError("minimum of a subtree is not zero");
  subtree.end("subtree");
  return base;
}

function namesByKind(names: readonly GeneralName[]) {
  const of = (kind: "dns" | "ip" | "email" | "uri"): string[] =>
    names.flatMap((name) => (name.kind === kind ? name.value : []));
  return {
    dnsNames: of("dns"),
    ipAddresses: of("ip"),
    emailAddresses: of("email"),
    uris: of("uri"),
  };
}

/** Reads the list of extensions; none may be there twice. */
export function readExtensions(list: DerReader): Extension[] {
  const seen = new Set<string>();
  return listIn(list, (reader) => {
    const extension = reader.sequence("extension");
    const oid = extension.oid("extension");
    const critical = extension.tag === tags.boolean && extension.boolean("critical");
    const value = extension.read(tags.octetString, "extension value");
    extension.end("extension");
    if (seen.has(oid)) throw new DerError(`extension ${oid} is there twice`);
    seen.add(oid);
    return { oid, critical, value };
  });
}

/** What all extensions say together. */
export function factsOf(extensions: readonly Extension[]): ExtensionFacts {
  const facts: Facts = {
    isCa: false,
    keyUsages: [],
    extKeyUsages: [],
    subjectAltNames: [],
    dnsNames: [],
    ipAddresses: [],
    emailAddresses: [],
    uris: [],
    unknownCritical: [],
  };
  const unknownCritical: string[] = [];
  for (const { oid, critical, value } of extensions) {
    const read = readers[oid];
    if (read !== undefined) Object.assign(facts, read(value));
    else if (critical) unknownCritical.push(oid);
  }
  return Object.assign(facts, { unknownCritical });
}

const extension = (dotted: string, critical: boolean, value: Uint8Array): Uint8Array =>
  sequence(oid(dotted), ...(critical ? [boolean(true)] : []), octetString(value));

/** Usages come as the frozen lists of profiles, whose extension is always the same. */
function rememberedBy<List extends readonly string[]>(
  write: (list: List) => Uint8Array,
): (list: List) => Uint8Array {
  const written = new WeakMap<List, Uint8Array>();
  return (list) => {
    if (!Object.isFrozen(list)) return write(list);
    const before = written.get(list) ?? write(list);
    written.set(list, before);
    return before;
  };
}

export const keyUsageExtension = rememberedBy((usages: readonly KeyUsage[]) =>
  extension(
    extensionOids.keyUsage,
    true,
    flags(usages.map((usage) => keyUsageBits.indexOf(usage))),
  ),
);

export const extKeyUsageExtension = rememberedBy((usages: readonly string[]) => {
  const named: Readonly<Record<string, string>> = usageOids;
  return extension(
    extensionOids.extKeyUsage,
    false,
    sequence(...usages.map((usage) => oid(named[usage] ?? usage))),
  );
});

/** For an authority, without a limit on its path. */
export const basicConstraintsExtension = (): Uint8Array =>
  extension(extensionOids.basicConstraints, true, sequence(boolean(true)));

export const subjectKeyIdExtension = (keyId: Uint8Array): Uint8Array =>
  extension(extensionOids.subjectKeyIdentifier, false, octetString(keyId));

export const authorityKeyIdExtension = (keyId: Uint8Array): Uint8Array =>
  extension(extensionOids.authorityKeyIdentifier, false, sequence(element(implicit(0), keyId)));

/**
 * DNS names first, then addresses; undefined where there is no name.
 *
 * @throws {AltNameInvalidError} when a text is neither
 */
export function altNameExtension(
  names: { readonly dnsNames?: readonly string[]; readonly ipAddresses?: readonly string[] },
  critical: boolean,
): Uint8Array | undefined {
  const list = [
    ...(names.dnsNames ?? []).map(dnsName),
    ...(names.ipAddresses ?? []).map(ipAddress),
  ];
  if (list.length === 0) return undefined;
  return extension(extensionOids.subjectAltName, critical, sequence(...list));
}
