/** How a name lies to a subtree of name constraints, by the form of the name: RFC 5280 §4.2.1.10. */
import { addressOctets, addressText, isDnsName } from "../address.ts";
import { wholeSequence } from "../der/reader.ts";
import { tags } from "../der/tags.ts";
import { sequence } from "../der/writer.ts";
import type { GeneralName, GeneralSubtree } from "../general-name.ts";
import { formatName, readName, type Name } from "../name.ts";

/** A name is in a subtree, has something in common with it, or nothing; or it cannot be read. */
export type Relation = "inside" | "overlaps" | "outside" | "unreadable";

type Kind = GeneralSubtree["kind"];
type Named<K extends Kind> = GeneralName & { readonly kind: K };
type Based<K extends Kind> = GeneralSubtree & { readonly kind: K };

interface Form<K extends Kind> {
  wellFormed(base: Based<K>): boolean;
  relate(name: Named<K>, base: Based<K>): Relation;
  print(name: Based<K> | Named<K>): string;
}

const inside = (is: boolean): Relation => (is ? "inside" : "outside");
const isHost = (text: string): boolean => isDnsName(text) && !text.startsWith("*");
/** A host that hosts may be below of, as `.example.com` has it for mail and URIs. */
const isDomain = (text: string): boolean => isHost(text.replace(/^\./, ""));
const print = ({ value }: { value: string }): string => JSON.stringify(value);

const dns: Form<"dns"> = {
  // The empty name has every name below it.
  wellFormed: ({ value }) => value === "" || isHost(value),
  relate(name, base) {
    if (!isDnsName(name.value)) return "unreadable";
    const [host, root] = [name.value.toLowerCase(), base.value.toLowerCase()];
    if (!host.startsWith("*.")) return inside(isBelow(host, root));
    if (isBelow(host.slice(2), root)) return "inside";
    // The wildcard stands for the subtree's first label too, RFC 9525 §6.3.
    return root.slice(root.indexOf(".")) === host.slice(1) ? "overlaps" : "outside";
  },
  print,
};

const isBelow = (host: string, root: string): boolean =>
  root === "" || host === root || host.endsWith(`.${root}`);

/** Mail and URI hosts: equal, or below where the base begins with a dot. */
const fitsHost = (host: string, base: string): boolean =>
  base.startsWith(".") ? host.endsWith(base) : host === base;

const email: Form<"email"> = {
  wellFormed({ value }) {
    const mailbox = readMailbox(value);
    return mailbox === undefined ? isDomain(value) : isHost(mailbox.host);
  },
  relate(name, base) {
    const mailbox = readMailbox(name.value);
    if (mailbox === undefined || !isHost(mailbox.host)) return "unreadable";
    const wanted = readMailbox(base.value);
    if (wanted === undefined) return inside(fitsHost(mailbox.host, base.value.toLowerCase()));
    return inside(mailbox.local === wanted.local && mailbox.host === wanted.host);
  },
  print,
};

/** The local part is compared as it stands; every character in it means itself. */
function readMailbox(text: string): { local: string; host: string } | undefined {
  const [local = "", host = "", ...more] = text.split("@");
  return local === "" || host === "" || more.length > 0
    ? undefined
    : { local, host: host.toLowerCase() };
}

const uri: Form<"uri"> = {
  wellFormed: ({ value }) => isDomain(value),
  relate(name, base) {
    const host = URL.parse(name.value)?.hostname.toLowerCase() ?? "";
    // An address, or no host at all, can be neither permitted nor excluded by a host.
    return isHost(host) ? inside(fitsHost(host, base.value.toLowerCase())) : "unreadable";
  },
  print,
};

const ip: Form<"ip"> = {
  wellFormed: ({ mask }) => /^1*0*$/.test(bits(mask)),
  relate(name, base) {
    const octets = addressOctets(name.value);
    if (octets === undefined) return "unreadable";
    const { address, mask } = unmapped(base);
    if (octets.length !== address.length) return "outside";
    return inside(
      octets.every((octet, i) => ((octet ^ (address[i] ?? 0)) & (mask[i] ?? 0xff)) === 0),
    );
  },
  print: (name) =>
    "value" in name
      ? name.value
      : `${addressText(name.address)}/${bits(name.mask).replaceAll("0", "").length}`,
};

const bits = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(2).padStart(8, "0")).join("");

/** A network of IPv4 addresses mapped into IPv6 is one of IPv4, as such addresses are. */
function unmapped({ address, mask }: Based<"ip">): { address: Uint8Array; mask: Uint8Array } {
  const short = addressOctets(addressText(address));
  return address.length === 16 &&
    short?.length === 4 &&
    mask.subarray(0, 12).every((o) => o === 255)
    ? { address: short, mask: mask.subarray(12) }
    : { address, mask };
}

const directory: Form<"directory"> = {
  wellFormed: () => true,
  relate(name, base) {
    const rdns = rdnsOf(name.name);
    return inside(rdnsOf(base.name).every((rdn, i) => rdn === rdns[i]));
  },
  print: ({ name }) => JSON.stringify(formatName(name)),
};

const rdnsByName = new WeakMap<Name, readonly string[]>();

/** Relative names as they are compared: without regard to case, spaces and kind of string, §7.1. */
function rdnsOf(name: Name): readonly string[] {
  const known = rdnsByName.get(name);
  if (known !== undefined) return known;
  const rdns: string[] = [];
  for (const sets = wholeSequence(name.der, "name"); !sets.done;) {
    const { attributes } = readName(sequence(sets.element(tags.set, "relative name")));
    const folded = attributes.map(({ oid, value }) => [oid, fold(value)]);
    rdns.push(JSON.stringify(folded.map((pair) => JSON.stringify(pair)).sort()));
  }
  rdnsByName.set(name, rdns);
  return rdns;
}

const fold = (value: string): string =>
  value.normalize("NFKC").toLowerCase().trim().replace(/\s+/g, " ");

/** Forms that are not read: whatever is constrained there cannot be told, so it is refused. */
const other: Form<"other"> = {
  wellFormed: () => true,
  relate: () => "unreadable",
  print: ({ tag }) => `of kind [${tag}]`,
};

const forms: { readonly [K in Kind]: Form<K> } = { dns, ip, email, uri, directory, other };
// The table is keyed by the kind of the very value that is passed on.
const formOf = (kind: Kind): Form<Kind> => forms[kind];

/** Tells whether a subtree's base is what §4.2.1.10 has for its form. */
export const isWellFormed = (base: GeneralSubtree): boolean => formOf(base.kind).wellFormed(base);

/** Tells whether a subtree is about names of this form. */
export const isAbout = (base: GeneralSubtree, name: GeneralName): boolean =>
  base.kind === name.kind &&
  (base.kind !== "other" || name.kind !== "other" || base.tag === name.tag);

/** How a name lies to a subtree of its own form. */
export const relate = (name: GeneralName, base: GeneralSubtree): Relation =>
  formOf(name.kind).relate(name, base);

/** A name or subtree in a sentence. */
export const printName = (name: GeneralName | GeneralSubtree): string =>
  formOf(name.kind).print(name);
