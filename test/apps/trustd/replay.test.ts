/** Tokens that are none, and requests that are sent again by whoever heard them. */
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { serialHex } from "#pki";
import { IssuedCertificate } from "#resources";
import { after, hours } from "#runtime";
import { statusOf } from "#runtime/rpc";
import { trustdStatuses } from "../../../src/apps/trustd/errors.ts";
import {
  certificateIn,
  csr,
  ID,
  joining,
  MACHINE_TOKEN,
  openCluster,
  PEER,
  signing,
  START,
} from "./cluster.ts";

const machine = { peer: PEER, token: MACHINE_TOKEN };
const listener = { peer: "10.0.0.99:666", token: MACHINE_TOKEN };
const JOIN_TOKEN = "abcdef.0123456789abcdef";

const answerTo = (asking: Promise<unknown>) =>
  asking.then(
    () => ["OK", ""],
    (error: unknown) => {
      const { code, details } = statusOf(error, "", trustdStatuses);
      return [status[code], details];
    },
  );

describe("talos-pki.md §7: a token that is", () => {
  test.each<[string, string | undefined, string]>([
    ["missing", undefined, "missing token"],
    ["empty", "", "invalid token"],
    ["wrong", "mach1n.0000000000000000", "invalid token"],
    ["of another cluster", "0ther1.0123456789abcdef", "invalid token"],
    ["right up to its end", MACHINE_TOKEN.slice(0, -1), "invalid token"],
    ["right, and more", `${MACHINE_TOKEN} `, "invalid token"],
    ["the id of a good one alone", JOIN_TOKEN.slice(0, 6), "invalid token"],
    ["in capitals", JOIN_TOKEN.toUpperCase(), "invalid token"],
    ["the hash that is kept", "e".repeat(64), "invalid token"],
    ["of a million letters", "a".repeat(1_000_000), "invalid token"],
  ])("%s lets nobody in", async (_what, token, text) => {
    await using cluster = await openCluster();
    await cluster.token(JOIN_TOKEN);
    const asker = { peer: PEER, token };
    const refusal = ["UNAUTHENTICATED", text];
    expect(await answerTo(cluster.signer.certificate(asker, { csr: await csr() }))).toEqual(
      refusal,
    );
    expect(await answerTo(cluster.signer.join(asker, await joining(ID.worker)))).toEqual(refusal);
    expect(await cluster.store.list(IssuedCertificate)).toEqual([]);
    expect(cluster.audit.map(({ outcome }) => outcome)).toEqual(
      refusal.slice(0, 1).concat(refusal[0]!),
    );
  });
});

describe("a request that is sent again", () => {
  test("by who asks as Talos' workers do is answered anew", async () => {
    await using cluster = await openCluster();
    const request = { csr: await csr() };
    const first = certificateIn((await cluster.signer.certificate(machine, request)).crt);
    const second = certificateIn((await cluster.signer.certificate(machine, request)).crt);
    expect(serialHex(second.serialNumber)).not.toBe(serialHex(first.serialNumber));
  });

  test("by a listener has the answer that there was, which is good for the key alone", async () => {
    await using cluster = await openCluster();
    const request = await joining(ID.worker);
    const first = await cluster.signer.join(machine, request);
    expect(await cluster.signer.join(listener, request)).toEqual(first);
    expect(await cluster.store.list(IssuedCertificate)).toHaveLength(2);
  });

  test.each<[string, (request: Awaited<ReturnType<typeof joining>>) => Promise<typeof request>]>([
    ["request id", async (request) => ({ ...request, signing: (await joining("")).signing })],
    [
      "key",
      async (request) => ({
        ...request,
        signing: { ...request.signing!, identityCsr: await csr({ commonName: "b" }) },
      }),
    ],
  ])(
    "with another %s is another one, and the node has to say who it was",
    async (_what, change) => {
      await using cluster = await openCluster();
      const request = await joining(ID.worker);
      await cluster.signer.join(machine, request);
      const [code, text] = await answerTo(cluster.signer.join(listener, await change(request)));
      expect(code).toBe("PERMISSION_DENIED");
      expect(text).toContain("on record under another key");
    },
  );

  test("with another token is another one", async () => {
    await using cluster = await openCluster();
    await cluster.token(JOIN_TOKEN);
    const request = await joining(ID.worker);
    await cluster.signer.join(machine, request);
    const again = cluster.signer.join({ ...listener, token: JOIN_TOKEN }, request);
    expect((await answerTo(again))[0]).toBe("PERMISSION_DENIED");
  });

  test("when its certificates have ended is no repeat any more", async () => {
    await using cluster = await openCluster();
    const request = await joining(ID.worker);
    await cluster.signer.join(machine, request);
    cluster.clock.advanceTo(after(START, hours(24)));
    const [code, text] = await answerTo(cluster.signer.join(listener, request));
    expect(code).toBe("PERMISSION_DENIED");
    expect(text).toContain("on record under another key");
  });

  test("a proof of who a node was is good for the request that it was made for", async () => {
    await using cluster = await openCluster();
    const { issued } = await cluster.signer.join(machine, await joining(ID.worker));
    const former = { crt: issued!.identityCrt };
    const heard = await joining(ID.worker, { former });
    const forged = { ...heard, signing: await signing({ commonName: "a", dnsNames: ["a"] }) };
    const [code, text] = await answerTo(cluster.signer.join(listener, forged));
    expect(code).toBe("PERMISSION_DENIED");
    expect(text).toContain("formerSignature");
  });

  test.each([
    ["garbage", Buffer.from("garbage"), "holds no PEM block"],
    ["more than a certificate is", Buffer.alloc(16 * 1024 + 1), "more than 16384 bytes"],
  ])("an identity before it that is %s proves nothing", async (_what, formerCrt, text) => {
    await using cluster = await openCluster();
    const request = { ...(await joining(ID.worker)), formerCrt };
    const [code, told] = await answerTo(cluster.signer.join(machine, request));
    expect(code).toBe("INVALID_ARGUMENT");
    expect(told).toContain(text);
  });

  test("a renewal that another member repeats is its own, and the names are not", async () => {
    await using cluster = await openCluster();
    const join = async (id: string, name: string) => {
      const names = { commonName: name, dnsNames: [name], ipAddresses: [] };
      const { issued } = await cluster.signer.join(machine, await joining(id, names));
      return { peer: PEER, certificate: certificateIn(issued!.identityCrt) };
    };
    const [one, other] = [await join(ID.worker, "one"), await join(ID.other, "other")];
    const request = {
      signing: await signing({ commonName: "one", dnsNames: ["one"], ipAddresses: [] }),
    };
    await cluster.signer.renew(one, request);
    const [code, text] = await answerTo(cluster.signer.renew(other, request));
    expect(code).toBe("PERMISSION_DENIED");
    expect(text).toContain('rule "names of others": commonName: "one" is on record');
  });
});
