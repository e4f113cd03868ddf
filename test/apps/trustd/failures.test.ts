/** What fails for no fault of who asks: it is not held against them, and passes when its cause does. */
import { expect, test } from "vitest";
import { JoinToken, OSRoot } from "#resources";
import { after, at, ConflictError, pointerTo, StoreFileError } from "#runtime";
import type { KeyProvider } from "#pki";
import { csr, ID, joining, keys, MACHINE_TOKEN, openCluster, PEER } from "./cluster.ts";

const asker = (token = MACHINE_TOKEN) => ({ peer: PEER, token });
const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);

/** Has what a store does fail; returns what it did before. */
function breakStore(part: object, name: string, error: Error): () => void {
  const before: unknown = Reflect.get(part, name);
  const broken = async () => {
    throw error;
  };
  Reflect.set(part, name, broken);
  return () => Reflect.set(part, name, before);
}

test("a store that is full is nobody's fault: once there is room they are served at once", async () => {
  await using c = await openCluster();
  const mend = breakStore(c.store.core, "commit", new StoreFileError("ERR_STORE_FULL", "full"));
  for (let i = 0; i < 60; i++) {
    const code = await c.signer.join(asker(), await joining(ID.worker)).catch(codeOf);
    expect(code).toBe("ERR_STORE_FULL");
  }
  const line = expect.objectContaining({ outcome: "RESOURCE_EXHAUSTED", reason: "full" }) as object;
  expect(c.audit).toContainEqual(line);
  mend();
  expect(c.signer.limits.mayShakeHands("10.0.0.7")).toBe(true);
  expect((await c.signer.join(asker(), await joining(ID.worker))).issued).toBeDefined();
});

test("an authority that has ended, or is none, is not the asker's fault either", async () => {
  await using c = await openCluster();
  c.clock.advanceTo(after(at("2060-01-01"), 0));
  const ended = await c.signer
    .certificate(asker(), { csr: await csr() })
    .catch((error: unknown) => error);
  expect(ended).toMatchObject({
    code: "ERR_SIGNING_FAILED",
    message: expect.stringMatching(/^failed to sign CSR: /) as string,
  });
  await c.store.modify(OSRoot, "os", (spec) => void (spec.issuingCA = null));
  for (let i = 0; i < 30; i++)
    expect(await c.signer.certificate(asker(), { csr: await csr() }).catch(codeOf)).toBe(
      "ERR_AUTHORITY_MISSING",
    );
  // On record, for somebody may look for the reason, and not counted.
  expect(c.audit.at(-1)).toMatchObject({
    outcome: "FAILED_PRECONDITION",
    resource: "token machine.token",
  });
  for (let i = 0; i < 100; i++) expect(c.signer.limits.mayShakeHands("10.0.0.7")).toBe(true);
});

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
