/** Nodes whose answer got lost: by what they are known when they ask again. */
import { DeniedCertificate, MemberRecord } from "#resources";
import { after, hours, rfc3339 } from "#runtime";
import { expect, test } from "vitest";
import { proofOf } from "../../../src/apps/trustd/proof.ts";
import {
  certificateIn,
  ID,
  joining,
  key,
  keys,
  MACHINE_TOKEN,
  openCluster,
  PEER,
  signing,
  START,
} from "./cluster.ts";

const machine = { peer: PEER, token: MACHINE_TOKEN };

test("a node is known by the identity that it has, however many answers were lost since its end", async () => {
  await using cluster = await openCluster();
  const { issued } = await cluster.signer.join(machine, await joining(ID.worker));
  const former = { crt: issued!.identityCrt };
  for (let days = 1; days <= 3; days++) {
    cluster.clock.advanceTo(after(START, hours(30 * days)));
    await cluster.signer.join(machine, await joining(ID.worker, { former }));
  }
  const record = await cluster.store.get(MemberRecord, ID.worker);
  expect(record?.spec.identities).toContain(certificateIn(former.crt).fingerprint);
});

test("one that never got an answer, and has other names by now, is known by the key that it asked with", async () => {
  await using cluster = await openCluster();
  await cluster.signer.join(machine, await joining(ID.worker)); // the answer is lost
  const request = await joining(ID.worker, { ipAddresses: ["10.0.0.7", "10.0.0.17"] });
  const by = async (signer: typeof key) => ({
    ...request,
    formerSignature: Buffer.from(await signer.sign(proofOf(request.signing!, ID.worker))),
  });
  const join = cluster.signer.join(machine, request);
  await expect(join).rejects.toThrow(/on record under another key/); // who has heard it has that much
  const stranger = await by(await keys.issueKey("P-256"));
  await expect(cluster.signer.join(machine, stranger)).rejects.toThrow(
    /formerSignature: .* not by the key of identityCsr/,
  );
  await cluster.signer.join(machine, await by(key));
});

test("an identity that is denied renews nothing, though it is still on record", async () => {
  await using cluster = await openCluster();
  const { issued } = await cluster.signer.join(machine, await joining(ID.worker));
  const certificate = certificateIn(issued!.identityCrt);
  const denial = { reason: "lost", since: rfc3339(START) };
  await cluster.store.create(DeniedCertificate, certificate.fingerprint, denial);
  const renewing = cluster.signer.renew({ peer: PEER, certificate }, { signing: await signing() });
  await expect(renewing).rejects.toMatchObject({ code: "ERR_NOT_A_MEMBER" });
});
