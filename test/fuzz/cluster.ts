/** What is asked for certificates: a signer for each type of authority, with policy, limits and record. */
import { X509Certificate } from "node:crypto";
import {
  authorityPem,
  authorityProfiles,
  issueAuthority,
  webCryptoKeys,
  type KeyAlgorithm,
  type KeyProvider,
} from "#pki";
import { MachineToken, MemberRecord, OSRoot } from "#resources";
import {
  after,
  at,
  hours,
  manualClock,
  NotFoundError,
  seconds,
  silentLogger,
  systemRandom,
  type Instant,
} from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { tokenHash } from "../../src/apps/trustd/token-state.ts";
import { openSigner } from "../../src/apps/trustd/open-signer.ts";
import { calls, goodIdentity, memberCsr, TOKEN, type Answer } from "./calls.ts";
import type { Chance } from "./chance.ts";

export interface Cluster extends AsyncDisposable {
  readonly authority: X509Certificate;
  now(): Instant;
  /**
   * Asks for a certificate, in one of the calls and one of its fields.
   *
   * @throws what a signer throws
   */
  ask(csr: Uint8Array, pem: string, chance: Chance): Promise<Answer>;
}

/** By the first letters of the types of keys that they sign for. */
const types: Readonly<Record<string, KeyAlgorithm>> = {
  Ed: "Ed25519",
  "P-": "P-256",
  RS: "RSA-4096",
};
const START = at("2030-01-01");
const MEMBER = "m".repeat(44);
/** So much passes with each round that what was refused before does not count any more. */
const ROUND = seconds(30);
const signing = webCryptoKeys();

/** @param keys makes those of the authorities, which are the same for the same seed */
export async function openClusters(keys: KeyProvider): Promise<ReadonlyMap<string, Cluster>> {
  const clusters = new Map<string, Cluster>();
  for (const [kind, type] of Object.entries(types))
    clusters.set(kind, await openCluster(type, keys));
  return clusters;
}

async function openCluster(keyAlgorithm: KeyAlgorithm, keys: KeyProvider): Promise<Cluster> {
  const clock = manualClock(START);
  const store = openMemoryStore({ clock, random: systemRandom });
  const means = { keys, random: systemRandom, now: START };
  const profile = { ...authorityProfiles.os, keyAlgorithm };
  const root = await authorityPem(await issueAuthority(profile, means));
  await fill(store, root);
  const signer = await openSigner({
    ...{ store, clock, random: systemRandom, keys: signing, log: silentLogger },
    record: async () => {},
    apiPort: () => 50_000,
  });
  const key = await keys.issueKey(keyAlgorithm);
  const csr = await memberCsr(key);
  let requests = 0;
  const newId = () => (requests++).toString(16).padStart(32, "0");
  let member = await goodIdentity(signer, { nodeId: MEMBER, key, csr }, newId());
  return {
    authority: new X509Certificate(root.crt),
    now: () => clock.now(),
    async ask(spoilt, pem, chance) {
      clock.advanceTo(after(clock.now(), ROUND));
      if (member.certificate.notAfter < after(clock.now(), hours(1)))
        member = await goodIdentity(signer, member, newId());
      const round = { signer, member, csr: spoilt, pem, chance };
      const answer = await chance.of(calls)(round);
      await restore(store);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      await signer.close();
      await store.close();
    },
  };
}

async function fill(store: Store, root: { readonly crt: string; readonly key: string }) {
  await store.create(OSRoot, "os", {
    ...{ issuingCA: root, certSANIPs: [], certSANDNSNames: [], token: TOKEN },
    acceptedCAs: [{ crt: root.crt }],
  });
  await store.create(MachineToken, "trustd", { hash: tokenHash(TOKEN), former: [] });
}

/** Each round stands for itself: whoever joined in it goes, and the member has its own name again. */
async function restore(store: Store): Promise<void> {
  for (const { metadata, spec } of await store.list(MemberRecord)) {
    if (metadata.id !== MEMBER) await store.destroy(metadata).catch(unlessGone);
    else if (spec.hostname !== "z" || spec.addresses.length > 0)
      await store.modify(MemberRecord, MEMBER, (draft) => {
        draft.hostname = "z";
        draft.addresses = [];
      });
  }
}

function unlessGone(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}
