/** Good requests of all types of keys, the same for the same seed. */
import {
  buildName,
  issueCsr,
  readPem,
  type KeyAlgorithm,
  type KeyProvider,
  type PrivateKey,
} from "#pki";
import type { Random } from "#runtime";
import { seededKeys } from "../../src/apps/simulate/seeded-keys.ts";
import { chanceOf } from "./chance.ts";
import { readTree, type Element } from "./der-tree.ts";

/** A request that any signer takes, and what it was made with. */
export interface Original {
  readonly der: Uint8Array;
  readonly tree: Element;
  readonly key: PrivateKey;
}

/** How often each type is there: a signature of the last ones takes as long as fifty others. */
const types: readonly KeyAlgorithm[] = [
  ...new Array<KeyAlgorithm>(8).fill("Ed25519"),
  ...new Array<KeyAlgorithm>(4).fill("P-256"),
  ...(["P-384", "P-521", "RSA-4096"] as const),
];

/** What they ask for; the last one is too little for most. */
const wanted = [
  {
    subject: { commonName: "worker-1.example.org", organizations: ["os:admin"] },
    dnsNames: ["worker-1", "worker-1.example.org"],
    ipAddresses: ["192.0.2.1", "127.0.0.1"],
  },
  { subject: { commonName: "a", organizationalUnits: ["b"] }, dnsNames: ["a"] },
  { subject: { commonName: "10.5.0.2" }, ipAddresses: ["2001:db8::1", "::1", "10.5.0.2"] },
  { subject: { organizations: ["os:reader", "os:operator"] } },
];

/** Keys by seed. */
export function seededKeysOf(seed: number): KeyProvider {
  const chance = chanceOf(seed, -1);
  const random: Random = { bytes: (length) => Uint8Array.from(chance.bytes(length)) };
  return seededKeys({ random, onSigned: () => {} });
}

/** @param keys the same keys make the same requests */
export async function originals(keys: KeyProvider): Promise<readonly Original[]> {
  const made: Original[] = [];
  for (const type of types)
    for (const { subject, ...names } of wanted) {
      const key = await keys.issueKey(type);
      const [block] = readPem(await issueCsr({ key, subject: buildName(subject), ...names }));
      made.push({ der: block!.der, tree: readTree(block!.der), key });
    }
  return made;
}
