/** Ways to spoil a request, each by seed. */
import { signatureAlgorithms } from "../../src/pki/keys/algorithms.ts";
import { octetBits, sequence } from "../../src/pki/der/writer.ts";
import type { PrivateKey, SignatureAlgorithm } from "#pki";
import type { Chance } from "./chance.ts";
import { changeIn } from "./changes.ts";
import type { Original } from "./corpus.ts";
import { concat, copyOf, readTree, slotsIn, writeTree, type Element } from "./der-tree.ts";
import { greedyAttributes, greedyNames, manyNames } from "./greed.ts";

/** Makes bytes out of a good request. */
export type Mutation = (
  original: Original,
  chance: Chance,
  all: readonly Original[],
) => Uint8Array | Promise<Uint8Array>;

/** How often each is done, beside the others, and how. */
export const mutations: Readonly<
  Record<string, { readonly share: number; readonly by: Mutation }>
> = {
  "bits flipped": { share: 2, by: flipped },
  "bytes put in and left out": { share: 1, by: edited },
  "cut off": { share: 1, by: ({ der }, chance) => der.slice(0, chance.below(der.length)) },
  "lengths changed": { share: 2, by: changedLengths },
  "spliced of two": { share: 1, by: spliced },
  "elements changed": { share: 3, by: changedTree },
  "elements changed, signed": { share: 4, by: changedAndSigned },
  "asks for too much, signed": { share: 4, by: greedy },
  "asks for many names, signed": { share: 0.02, by: withManyNames },
  "as it was": { share: 0.5, by: ({ der }) => der },
};

/** Where the fields of a request stand. */
const [VERSION, SUBJECT, ATTRIBUTES] = [0, 1, 3] as const;

function flipped({ der }: Original, chance: Chance): Uint8Array {
  const bytes = der.slice();
  for (let flips = 1 + chance.below(8); flips > 0; flips--)
    bytes[chance.below(bytes.length)]! ^= 1 << chance.below(8);
  return bytes;
}

function edited({ der }: Original, chance: Chance): Uint8Array {
  const at = chance.below(der.length);
  const put = chance.bytes(chance.below(5));
  return concat([der.subarray(0, at), put, der.subarray(at + chance.below(5))]);
}

function spliced({ der }: Original, chance: Chance, all: readonly Original[]): Uint8Array {
  const other = chance.of(all).der;
  return concat([der.slice(0, chance.below(der.length)), other.slice(chance.below(other.length))]);
}

const lengths: readonly NonNullable<Element["length"]>[] = [
  ...(["long", "padded", "indefinite", "short by one", "long by one", "enormous"] as const),
];

function changedLengths({ tree }: Original, chance: Chance): Uint8Array {
  const root = copyOf(tree);
  const slots = slotsIn([root]);
  for (let count = 1 + chance.below(3); count > 0; count--) {
    const { siblings, index } = chance.of(slots);
    siblings[index]!.length = chance.of(lengths);
  }
  return writeTree(root);
}

function changedTree({ tree }: Original, chance: Chance, all: readonly Original[]): Uint8Array {
  const roots = [copyOf(tree)];
  changeIn(
    roots,
    chance,
    all.map(({ tree }) => tree),
  );
  return concat(roots.map(writeTree));
}

/** All but its key, or the signature could not be that of its key. */
async function changedAndSigned(
  { tree, key }: Original,
  chance: Chance,
  all: readonly Original[],
): Promise<Uint8Array> {
  const info = copyOf(tree.children![0]!);
  const index = chance.of([VERSION, SUBJECT, SUBJECT, ATTRIBUTES, ATTRIBUTES, ATTRIBUTES]);
  const part = [info.children![index]!];
  changeIn(
    part,
    chance,
    all.map(({ tree }) => tree),
  );
  info.children!.splice(index, 1, ...part);
  return signed(writeTree(info), key, chance);
}

async function greedy({ tree, key }: Original, chance: Chance): Promise<Uint8Array> {
  const info = copyOf(tree.children![0]!);
  const subject = info.children![SUBJECT]!;
  const attributes = info.children![ATTRIBUTES]!;
  if (chance.happens(0.5)) {
    const rdns = (subject.children ??= []);
    rdns.splice(chance.below(rdns.length + 1), 0, readTree(chance.of(greedyNames)(chance)));
  }
  if (chance.happens(0.8)) attributes.children = chance.of(greedyAttributes)(chance).map(readTree);
  return signed(writeTree(info), key, chance);
}

async function withManyNames({ tree, key }: Original, chance: Chance): Promise<Uint8Array> {
  const info = copyOf(tree.children![0]!);
  info.children![ATTRIBUTES]!.children = manyNames(chance).map(readTree);
  return signed(writeTree(info), key, chance);
}

const signatures: Readonly<Record<string, readonly SignatureAlgorithm[]>> = {
  Ed: ["Ed25519"],
  "P-": ["ECDSA-SHA256", "ECDSA-SHA384", "ECDSA-SHA512"],
  RS: ["SHA256-RSA", "SHA384-RSA", "SHA512-RSA"],
};

/** By any algorithm that the key can sign by. */
async function signed(info: Uint8Array, key: PrivateKey, chance: Chance): Promise<Uint8Array> {
  const algorithm = chance.of(signatures[key.algorithm.slice(0, 2)] ?? []);
  const { identifier } = signatureAlgorithms[algorithm];
  return sequence(info, identifier, octetBits(await key.sign(info, algorithm)));
}
