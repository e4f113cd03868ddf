/** DER as a tree that can be pulled about and written again, also as what no encoder would write. */

/** An element; one with `children` is written from them, whatever its tag says. */
export interface Element {
  tag: number;
  content: Uint8Array;
  children?: Element[];
  /** How its length is written; by default in the shortest form. */
  length?: "long" | "padded" | "indefinite" | "short by one" | "long by one" | "enormous";
}

const CONSTRUCTED = 0x20;
const OCTET_STRING = 0x04;

/** Reads good DER; what octet strings hold is looked into where it is DER, too. */
export function readTree(der: Uint8Array): Element {
  const [root] = elementsOf(der) ?? [];
  if (root === undefined) throw new TypeError("not DER");
  return root;
}

function elementsOf(der: Uint8Array): Element[] | undefined {
  const elements: Element[] = [];
  for (let at = 0; at < der.length;) {
    const tag = der[at++] ?? 0;
    let length = der[at++] ?? -1;
    if (length > 0x84 || length === 0x80 || (tag & 0x1f) === 0x1f) return undefined;
    if (length > 0x80) {
      const octets = length - 0x80;
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (der[at++] ?? 0);
    }
    if (length < 0 || at + length > der.length) return undefined;
    const content = der.subarray(at, (at += length));
    const children =
      (tag & CONSTRUCTED) !== 0 || (tag === OCTET_STRING && length > 2)
        ? elementsOf(content)
        : undefined;
    elements.push(children === undefined ? { tag, content } : { tag, content, children });
  }
  return elements;
}

/** Writes a tree. */
export function writeTree({ tag, content, children, length }: Element): Uint8Array {
  const body = children === undefined ? content : concat(children.map(writeTree));
  return concat([Uint8Array.from([tag, ...lengthOctets(body.length, length)]), body]);
}

function lengthOctets(length: number, form: Element["length"]): number[] {
  if (form === "indefinite") return [0x80];
  if (form === "short by one") return lengthOctets(Math.max(0, length - 1), undefined);
  if (form === "long by one") return lengthOctets(length + 1, undefined);
  if (form === "enormous") return [0x84, 0x7f, 0xff, 0xff, 0xff];
  const octets = [length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  if (form === "padded") return [0x84, ...octets];
  if (length < 0x80 && form !== "long") return [length];
  const shortest = octets.slice(octets.findIndex((octet) => octet !== 0));
  return length === 0 ? [0x81, 0] : [0x80 + shortest.length, ...shortest];
}

/** A place in a tree where an element stands. */
export interface Slot {
  readonly siblings: Element[];
  readonly index: number;
}

/** Every place below these elements. */
export function slotsIn(elements: Element[]): Slot[] {
  return elements.flatMap((element, index) => [
    { siblings: elements, index },
    ...slotsIn(element.children ?? []),
  ]);
}

export const copyOf = (element: Element): Element => ({
  ...element,
  ...(element.children && { children: element.children.map(copyOf) }),
});

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
