/** Leaves of P-256; bench/go/certificates.go issues the same. */
import { join } from "node:path";
import { after, days, defineResource, minutes, systemClock, systemRandom } from "#runtime";
import {
  authorityProfiles,
  buildName,
  certifyCsr,
  issueAuthority,
  issueCertificate,
  issueCsr,
  leafProfiles,
  readCsr,
  webCryptoKeys,
  type Certificate,
  type Csr,
} from "#pki";
import { openSqliteStore } from "#runtime/store";
import { z } from "zod";
import type { Task } from "../size.ts";
import { each } from "./operations.ts";
import { perSecond, timed } from "./timed.ts";

/** How many keys the leaves take turns with. */
const KEYS = 16;

const keys = webCryptoKeys();
const subject = buildName({ commonName: "node-1.example.org", organizations: ["example"] });
const dnsNames = ["node-1", "node-1.example.org", "api.example.org"];
const ipAddresses = ["10.5.0.2", "fd00::2"];

/** An authority, and requests for leaves under it. */
async function prepare() {
  const now = after(systemClock.now(), -days(1));
  const authority = await issueAuthority(authorityProfiles.etcd, {
    keys,
    now,
    random: systemRandom,
  });
  const requests = await Promise.all(
    Array.from({ length: KEYS }, async () => {
      const key = await keys.issueKey("P-256");
      const csr = await issueCsr({ key, subject, dnsNames, ipAddresses });
      return { csr, read: await readCsr(csr), keyPem: await key.pem() };
    }),
  );
  const issue = (csr: Csr): Promise<Certificate> =>
    certifyCsr({
      csr,
      subject,
      authority,
      profile: leafProfiles.etcdServer,
      lifetime: days(1),
      now: systemClock.now(),
      random: systemRandom,
    });
  return { authority, issue, requestOf: (index: number) => requests[index % KEYS]! };
}

async function serially(
  { warmup = 0, count }: Task,
  work: (index: number) => Promise<{ readonly pem: string }>,
): Promise<number> {
  const one = async (index: number) => {
    if (!(await work(index)).pem) throw new Error("no certificate was issued");
  };
  await each(1, warmup, one);
  return perSecond(await timed(count, () => each(1, count, one)));
}

/** Issues for keys that are there. */
export async function certificateForKey(task: Task): Promise<number> {
  const { authority, requestOf } = await prepare();
  const { keyUsages, extKeyUsages } = leafProfiles.etcdServer;
  return serially(task, (i) => {
    const now = systemClock.now();
    return issueCertificate({
      ...{ issuer: authority, subject, dnsNames, ipAddresses, keyUsages, extKeyUsages },
      publicKey: requestOf(i).read.publicKey,
      notBefore: after(now, -minutes(15)),
      notAfter: after(now, days(1)),
      random: systemRandom,
    });
  });
}

/** The same as a node issues: what is signed is held against what was to be signed, and verified. */
export async function certificateThroughGate(task: Task): Promise<number> {
  const { issue, requestOf } = await prepare();
  return serially(task, (i) => issue(requestOf(i).read));
}

/** Reads and verifies a request, and issues what it asks for. */
export async function certificateFromCsr(task: Task): Promise<number> {
  const { issue, requestOf } = await prepare();
  return serially(task, async (i) => issue(await readCsr(requestOf(i).csr)));
}

const Leaf = defineResource({
  type: "Leaves.bench.trustplane.dev",
  namespace: "bench",
  spec: z.object({ crt: z.string(), key: z.string() }),
});

/** Issues leaves and returns each when it is on disk. */
export async function issueAndStore(task: Task): Promise<number> {
  const { warmup = 0, count, inFlight = 1, directory } = task;
  if (directory === undefined) throw new TypeError("there is no directory for the database");
  await using store = await openSqliteStore({ path: join(directory, "leaves.db"), kinds: [Leaf] });
  const { issue, requestOf } = await prepare();
  const one = (namespace: string) => async (index: number) => {
    const { read, keyPem } = requestOf(index);
    const { pem } = await issue(read);
    await store.create(Leaf, `leaf-${index}`, { crt: pem, key: keyPem }, { namespace });
  };
  await each(inFlight, warmup, one("warmup"));
  return perSecond(await timed(count, () => each(inFlight, count, one("bench"))));
}
