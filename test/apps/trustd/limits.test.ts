/** Refusals are counted, and successes are not. */
import { after, hours, manualClock, minutes, seconds } from "#runtime";
import { expect, test } from "vitest";
import { Buckets } from "../../../src/apps/trustd/buckets.ts";
import { csr, ID, joining, MACHINE_TOKEN, openCluster, PEER, START } from "./cluster.ts";

const TOKEN = "abcdef.0123456789abcdef";

test("a bucket has its burst at once, then its rate, whatever is done to the clock", () => {
  const clock = manualClock(START);
  const buckets = new Buckets({ burst: 3, perSecond: 2 }, clock);
  const taken = (count: number) => Array.from({ length: count }, () => buckets.take("a"));
  expect(taken(4)).toEqual([true, true, true, false]);
  expect([buckets.isEmpty("a"), buckets.isEmpty("b")]).toEqual([true, false]);
  clock.advanceTo(after(START, seconds(1)));
  expect(taken(3)).toEqual([true, true, false]);
  clock.stepTo(after(START, -hours(1)));
  expect(taken(1)).toEqual([false]);
  clock.advanceTo(after(START, -hours(1) + seconds(1)));
  expect(taken(3)).toEqual([true, true, false]);
  clock.advanceTo(after(START, hours(1)));
  expect(taken(4)).toEqual([true, true, true, false]);
});

test("what is kept of those who ask is bounded, and the busy ones are kept", () => {
  const buckets = new Buckets({ burst: 1, perSecond: 0 }, manualClock(START));
  buckets.take("busy");
  for (let i = 0; i < 10_000; i++) {
    buckets.take(`one of many ${i}`);
    if (i % 1000 === 0) buckets.take("busy");
  }
  expect(buckets.isEmpty("busy")).toBe(true);
  expect(buckets.isEmpty("one of many 0")).toBe(false); // nothing is known of it
});

test("a wrong token is refused in fewer words after a while, and a right one served from there", async () => {
  await using cluster = await openCluster();
  const wrong = { peer: PEER, token: "wrong" };
  const messages: string[] = [];
  for (let i = 0; i < 100; i++)
    await cluster.signer
      .certificate(wrong, { csr: await csr() })
      .catch((error: unknown) => messages.push((error as Error).message));
  expect(messages.filter((message) => message === "invalid token")).toHaveLength(20);
  expect(messages.at(-1)).toBe(
    "too many requests of this address were refused: try again in a while",
  );
  expect(cluster.audit).toHaveLength(32);
  await cluster.signer.join({ peer: PEER, token: MACHINE_TOKEN }, await joining(ID.worker));
  cluster.clock.advanceTo(after(START, minutes(1)));
  expect(cluster.audit.at(-1)).toMatchObject({ outcome: "RESOURCE_EXHAUSTED", count: 68 });
});

test("a right token that is refused over and over is looked at less from there, but not elsewhere", async () => {
  await using cluster = await openCluster();
  await cluster.token(TOKEN);
  const asker = { peer: PEER, token: TOKEN };
  const codes: unknown[] = [];
  for (let i = 0; i < 45; i++)
    await cluster.signer
      .join(
        asker,
        await joining(ID.worker, { dnsNames: ["worker-1.example.com", "cp-1.example.com"] }),
      )
      .catch((error: unknown) => codes.push((error as { code: unknown }).code));
  expect(codes).toEqual([
    ...Array<string>(40).fill("ERR_ADMISSION_REFUSED"),
    ...Array<string>(5).fill("ERR_REFUSALS_EXHAUSTED"),
  ]);
  await expect(cluster.signer.join(asker, await joining(ID.worker))).rejects.toMatchObject({
    code: "ERR_REFUSALS_EXHAUSTED",
  });
  await cluster.signer.join({ peer: PEER, token: MACHINE_TOKEN }, await joining(ID.worker));
  const elsewhere = { peer: "10.0.0.8:40000", token: TOKEN };
  const other = { dnsNames: ["w-2"], commonName: "w-2", ipAddresses: ["10.0.0.8"] };
  await cluster.signer.join(elsewhere, await joining(ID.other, other));
  cluster.clock.advanceTo(after(START, seconds(2)));
  await expect(cluster.signer.join(asker, await joining(ID.worker))).rejects.toMatchObject({
    code: "ERR_ADMISSION_REFUSED", // it is on record under another request's key
  });
});

test("many that are granted from one address with one token are no refusals", async () => {
  await using cluster = await openCluster();
  await cluster.token(TOKEN, { uses: 60 });
  const request = { csr: await csr() };
  for (let i = 0; i < 60; i++)
    await cluster.signer.certificate({ peer: PEER, token: TOKEN }, request);
  await expect(cluster.signer.certificate({ peer: PEER, token: TOKEN }, request)).rejects.toThrow(
    /is spent: it was good for 60 joins/,
  );
});
