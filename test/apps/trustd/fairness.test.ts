/** What who was refused is held to, and that nobody else is. */
import { expect, test } from "vitest";
import { after, hours, manualClock, seconds } from "#runtime";
import { Buckets } from "../../../src/apps/trustd/buckets.ts";
import { openLimits } from "../../../src/apps/trustd/limits.ts";
import { csr, ID, joining, MACHINE_TOKEN, openCluster, START } from "./cluster.ts";

const asker = (peer = "10.0.0.7:40000") => ({ peer, token: MACHINE_TOKEN });
const namedAsAnother = { commonName: "cp-1.example.com", dnsNames: [], ipAddresses: [] };

/** A cluster that refused so many requests with the right token, of one connection. */
async function refusing(peer: string, times = 60) {
  const cluster = await openCluster();
  const bad = await csr({ ...namedAsAnother, dnsNames: ["cp-1.example.com"] });
  const codes = new Set<string>();
  for (let i = 0; i < times; i++)
    await cluster.signer.certificate(asker(peer), { csr: bad }).catch((error: unknown) => {
      codes.add((error as { code: string }).code);
    });
  return { cluster, codes };
}

test("who is refused much is not looked at much, and others with the same token are served", async () => {
  const { cluster: c, codes } = await refusing("192.0.2.1:1000");
  await using _ = c;
  expect(codes).toEqual(new Set(["ERR_ADMISSION_REFUSED", "ERR_REFUSALS_EXHAUSTED"]));
  const elsewhere = await c.signer.join(asker("192.0.2.2:1"), await joining(ID.worker));
  expect(elsewhere.issued?.machineType).toBe("worker");
  // Behind the same address too: on a connection on which nothing was refused.
  const beside = { commonName: "b", dnsNames: ["b"], ipAddresses: [] };
  const served = await c.signer.join(asker("192.0.2.1:1001"), await joining(ID.other, beside));
  expect(served.issued?.machineType).toBe("worker");
  // And on the one that was refused as often as can be looked at.
  const good = { csr: await csr({ commonName: "c", dnsNames: ["c"], ipAddresses: [] }) };
  await expect(c.signer.certificate(asker("192.0.2.1:1000"), good)).rejects.toThrow("too many");
  c.clock.advanceTo(after(START, seconds(0.1)));
  expect((await c.signer.certificate(asker("192.0.2.1:1000"), good)).crt.length).toBeGreaterThan(0);
});

test("what was answered before is answered whatever was refused since", async () => {
  await using c = await openCluster();
  const request = await joining(ID.worker);
  const first = await c.signer.join(asker(), request);
  const bad = await csr({ ...namedAsAnother, dnsNames: ["cp-1.example.com"] });
  for (let i = 0; i < 60; i++)
    await c.signer.certificate(asker(), { csr: bad }).catch(() => undefined);
  expect(await c.signer.join(asker(), request)).toEqual(first);
});

test("all of a network of 64 bits of IPv6 are one", () => {
  const limits = openLimits(manualClock(START));
  for (let i = 1; i <= 20; i++)
    limits.refused(`2001:db8::${i.toString(16)}:40000`, undefined, new Error("no"));
  const handshakes = (host: string) =>
    Array.from({ length: 100 }, () => limits.mayShakeHands(host)).filter(Boolean).length;
  expect(handshakes("2001:db8::ffff")).toBe(9);
  expect(handshakes("2001:db8:0:1::1")).toBe(100);
  // IPv4 on a socket of IPv6 is not: those are all of the world.
  for (let i = 1; i <= 20; i++)
    limits.refused(`::ffff:192.0.2.1:${1000 + i}`, undefined, new Error("no"));
  expect(handshakes("::ffff:192.0.2.2")).toBe(100);
  expect(handshakes("192.0.2.1")).toBe(9);
});

test("who has taken much is not forgotten for many others that take little", () => {
  const clock = manualClock(START);
  const buckets = new Buckets({ burst: 20, perSecond: 0.001 }, clock);
  for (let i = 0; i < 20; i++) buckets.take("much");
  for (let i = 0; i < 20_000; i++) buckets.take(`little ${i}`);
  expect(buckets.isEmpty("much")).toBe(true);
  clock.advanceTo(after(START, hours(10)));
  expect(buckets.isEmpty("much")).toBe(false);
});
