/** Ways to change one element of a tree. */
import { oid } from "../../src/pki/der/writer.ts";
import type { Chance } from "./chance.ts";
import { copyOf, slotsIn, type Element } from "./der-tree.ts";
import { oddTexts } from "./greed.ts";

/** What stands in the place of an element afterwards. */
type Change = (element: Element, chance: Chance, others: readonly Element[]) => Element[];

const text = new TextEncoder();

const tags = [
  ...[0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x1c, 0x1e, 0x1f],
  ...[0x30, 0x31, 0x80, 0x82, 0x86, 0x87, 0xa0, 0xa3, 0xa4, 0x00, 0xff],
];

const identifiers = [
  ...["2.5.4.3", "2.5.4.10", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"],
  ...["1.2.840.113549.1.9.14", "1.2.840.113549.1.9.7", "1.3.101.112", "1.3.101.113"],
  ...["1.2.840.10045.2.1", "1.2.840.10045.3.1.7", "1.3.132.0.33", "1.3.132.0.34", "1.3.132.0.10"],
  ...["1.2.840.10045.4.3.1", "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.4"],
  ...["1.2.840.113549.1.1.1", "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.10"],
  ...["1.2.840.113549.1.1.11", "1.2.840.113549.1.1.13"],
];

const CONSTRUCTED_SEQUENCE = 0x30;

const changes: readonly Change[] = [
  () => [],
  (element) => [element, copyOf(element)],
  (element, chance) => Array.from({ length: 2 + chance.below(30) }, () => element),
  (element, chance) => [{ ...element, tag: chance.of(tags) }],
  (element, chance) => [{ tag: element.tag, content: chance.bytes(chance.below(40)) }],
  (element) => [{ tag: element.tag, content: new Uint8Array() }],
  (element, chance) => [
    { tag: chance.of([element.tag, 0x0c, 0x13]), content: text.encode(chance.of(oddTexts)) },
  ],
  (element, chance) => [{ tag: 0x02, content: chance.bytes(chance.of([1, 20, 257, 2049, 5000])) }],
  (_, chance) => [{ tag: 0x06, content: oid(chance.of(identifiers)).subarray(2) }],
  (element, chance) => [nested(element, 1 + chance.below(40))],
  (element) => [{ ...element, children: (element.children ?? []).toReversed() }],
  (_, chance, others) => {
    const { siblings, index } = chance.of(slotsIn([chance.of(others)]));
    return [copyOf(siblings[index]!)];
  },
];

function nested(element: Element, levels: number): Element {
  let outer = element;
  for (let i = 0; i < levels; i++)
    outer = { tag: CONSTRUCTED_SEQUENCE, content: new Uint8Array(), children: [outer] };
  return outer;
}

/** Changes one to three elements among these roots and below them, the roots too. */
export function changeIn(roots: Element[], chance: Chance, others: readonly Element[]): void {
  for (let count = 1 + chance.below(3); count > 0; count--) {
    const slots = slotsIn(roots);
    if (slots.length === 0) return;
    const { siblings, index } = chance.of(slots);
    siblings.splice(index, 1, ...chance.of(changes)(siblings[index]!, chance, others));
  }
}
