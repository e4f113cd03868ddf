/** Renewals are limited by member, and so is what is kept of them. */
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { IssuedCertificate, MemberRecord } from "#resources";
import { after, minutes, rfc3339, seconds } from "#runtime";
import { statusOf } from "#runtime/rpc";
import { trustdStatuses } from "../../../src/apps/trustd/errors.ts";
import {
  certificateIn,
  ID,
  joining,
  MACHINE_TOKEN,
  openCluster,
  PEER,
  signing,
  START,
} from "./cluster.ts";

type Cluster = Awaited<ReturnType<typeof openCluster>>;

const workers = {
  worker: {},
  other: { commonName: "w-2", dnsNames: ["w-2"], ipAddresses: ["10.0.0.8"] },
};

/** A member, and how it renews; always with the identity that it joined with. */
async function member({ signer }: Cluster, name: keyof typeof workers) {
  const names = workers[name];
  const asker = { peer: PEER, token: MACHINE_TOKEN };
  const { issued } = await signer.join(asker, await joining(ID[name], names));
  const certificate = certificateIn(issued!.identityCrt);
  const renew = async (request?: Awaited<ReturnType<typeof signing>>) =>
    signer.renew({ peer: PEER, certificate }, { signing: request ?? (await signing(names)) });
  return { certificate, renew };
}

test("a member renews ten times at once, then once a minute, and is told when", async () => {
  await using cluster = await openCluster();
  const { renew } = await member(cluster, "worker");
  const first = await signing();
  const answer = await renew(first);
  for (let i = 0; i < 9; i++) await renew();
  const issued = (await cluster.store.list(IssuedCertificate)).length;
  const refusal = (await renew().catch((error: unknown) => error)) as Error;
  expect(refusal.message).toMatch(`it may again at ${rfc3339(after(START, minutes(1)))}`);
  expect(statusOf(refusal, "", trustdStatuses).code).toBe(status.RESOURCE_EXHAUSTED);
  expect(await cluster.store.list(IssuedCertificate)).toHaveLength(issued);
  // What was answered is answered again, however often, and another member has its own limit.
  for (let i = 0; i < 20; i++) expect(await renew(first)).toEqual(answer);
  const other = await member(cluster, "other");
  await other.renew();

  cluster.clock.advanceTo(after(START, seconds(59)));
  await expect(renew()).rejects.toMatchObject({ code: "ERR_MEMBER_BUSY" });
  cluster.clock.advanceTo(after(START, minutes(1)));
  await renew(first);
  await renew();
  await expect(renew()).rejects.toMatchObject({ code: "ERR_MEMBER_BUSY" });
});

test("a repeat is free from the start: ten of them leave all ten renewals", async () => {
  await using cluster = await openCluster();
  const { renew } = await member(cluster, "worker");
  const first = await signing();
  for (let i = 0; i < 11; i++) await renew(first);
  for (let i = 0; i < 9; i++) await renew();
  await expect(renew()).rejects.toMatchObject({ code: "ERR_MEMBER_BUSY" });
});

test("of the identities of a member the newest are on record, and the one that it shows", async () => {
  await using cluster = await openCluster();
  const { certificate, renew } = await member(cluster, "worker");
  const issued: string[] = [];
  for (let i = 0; i < 10; i++)
    issued.push(certificateIn((await renew()).issued!.identityCrt).fingerprint);
  const record = await cluster.store.get(MemberRecord, ID.worker);
  expect(record?.spec.identities).toEqual([certificate.fingerprint, ...issued.slice(-8)]);
  expect(record?.spec.identityKeys).toHaveLength(9);
});
