/** What fails for no fault of who asks: it is not held against them, and passes when its cause does. */
import { expect, test } from "vitest";
import { JoinToken } from "#resources";
import { ConflictError, pointerTo } from "#runtime";
import type { KeyProvider } from "#pki";
import { csr, ID, joining, keys, MACHINE_TOKEN, openCluster, PEER } from "./cluster.ts";

const asker = (token = MACHINE_TOKEN) => ({ peer: PEER, token });

/** Has what a store does fail; returns what it did before. */
function breakStore(part: object, name: string, error: Error): () => void {
  const before: unknown = Reflect.get(part, name);
  const broken = async () => {
    throw error;
  };
  Reflect.set(part, name, broken);
  return () => Reflect.set(part, name, before);
}

test("a read that fails fails what is decided on it, and nothing after", async () => {
  await using c = await openCluster();
  await c.token("abcdef.0123456789abcdef", { uses: 3 });
  const mendCommit = breakStore(
    c.store.core,
    "commit",
    new ConflictError(pointerTo(JoinToken, "abcdef"), "raced"),
  );
  const mendGet = breakStore(c.store, "get", new Error("input/output error"));
  const token = "abcdef.0123456789abcdef";
  const two = [
    joining(ID.worker),
    joining(ID.other, { commonName: "w2", dnsNames: ["w2"], ipAddresses: [] }),
  ];
  const asked = await Promise.all(two);
  const failed = asked.map((request) =>
    c.signer.join(asker(token), request).catch((error: unknown) => String(error)),
  );
  expect(await Promise.all(failed)).toEqual(failed.map(() => "Error: input/output error"));
  mendGet();
  mendCommit();
  expect((await c.signer.join(asker(token), asked[0]!)).issued?.machineType).toBe("worker");
});

test("a key that cannot be had for a moment is asked for again", async () => {
  let isThere = false;
  const flaky: KeyProvider = {
    ...keys,
    readKey: (pem) =>
      isThere ? keys.readKey(pem) : Promise.reject(new Error("the module is not there")),
  };
  await using c = await openCluster({ keys: flaky });
  const ask = async () => c.signer.certificate(asker(), { csr: await csr() });
  await expect(ask()).rejects.toThrow("the module is not there");
  isThere = true;
  expect((await ask()).crt.length).toBeGreaterThan(0);
});
