/** Hosts that a certificate can name: DNS names, and IP addresses as text and as octets. */

const octet = /^(?:0|[1-9]\d{0,2})$/;

function ipv4Octets(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => octet.test(part) && Number(part) < 256))
    return undefined;
  return parts.map(Number);
}

/** Groups of one side of `::`, as octets. */
function groupOctets(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const octets: number[] = [];
  for (const [index, group] of groups.entries()) {
    const dotted = index === groups.length - 1 && group.includes(".") && ipv4Octets(group);
    if (dotted) octets.push(...dotted);
    else if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    else octets.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff);
  }
  return octets;
}

function ipv6Octets(text: string): number[] | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const head = groupOctets(sides[0] ?? "");
  // A dotted part stands last: before `::` it is none.
  if (head === undefined || (sides.length === 2 && sides[0]?.includes("."))) return undefined;
  if (sides.length === 1) return head.length === 16 ? head : undefined;
  const tail = groupOctets(sides[1] ?? "");
  const gap = 16 - head.length - (tail?.length ?? 0);
  if (tail === undefined || gap < 2) return undefined;
  return [...head, ...new Array<number>(gap).fill(0), ...tail];
}

const isMapped = (octets: ArrayLike<number>): boolean =>
  octets.length === 16 &&
  octets[10] === 0xff &&
  octets[11] === 0xff &&
  Array.from({ length: 10 }, (_, i) => octets[i]).every((value) => value === 0);

/**
 * The octets of an address: 4 for IPv4, also where it is written as mapped into IPv6, else 16.
 *
 * @returns undefined when the text is not an address; one with a zone is none
 */
export function addressOctets(text: string): Uint8Array | undefined {
  const octets = text.includes(":") ? ipv6Octets(text) : ipv4Octets(text);
  if (octets === undefined) return undefined;
  return Uint8Array.from(isMapped(octets) ? octets.slice(12) : octets);
}

/** Octets as text: dotted for 4, by RFC 5952 for 16. */
export function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  if (isMapped(octets)) return `::ffff:${octets.subarray(12).join(".")}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0)).toString(16),
  );
  let best = { start: 0, length: 1 }; // a single zero group is not shortened
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(":");
  const after = groups.slice(best.start + best.length);
  return `${groups.slice(0, best.start).join(":")}::${after.join(":")}`;
}

/** An address in its one canonical form; undefined when the text is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const octets = addressOctets(text);
  return octets && addressText(octets);
}

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** A host name as certificates carry it: letters, digits, `-` and `_`; `*` for the first label. */
export function isDnsName(text: string): boolean {
  const labels = (text.startsWith("*.") ? text.slice(2) : text).split(".");
  // What ends in a number is an address that is written badly, RFC 3696 §2.
  return (
    text.length <= 253 &&
    labels.every((part) => label.test(part)) &&
    !/^\d+$/.test(labels.at(-1) ?? "")
  );
}
