/** Join tokens: what they may be, what is kept of them, and how they end. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { isToken } from "#config";
import { JoinToken, MachineType } from "#resources";
import { after, at, days, hours, manualClock, type Random, systemRandom } from "#runtime";
import { openMemoryStore } from "#runtime/store";
import { clusterStore, clusterStoreIn } from "../../../src/apps/node/cluster-store.ts";
import { openTokens, type TokenRequest } from "../../../src/apps/trustd/tokens.ts";

const START = at("2027-03-01T12:00:00Z");
const plain: TokenRequest = {
  ...{ description: "", uses: 1, lifetime: hours(24), machineType: "" },
  ...{ dnsNames: [], addresses: [] },
};

function cluster(random: Random = systemRandom) {
  const store = openMemoryStore();
  const clock = manualClock(START);
  const tokens = openTokens({ cluster: clusterStoreIn(store), clock, random });
  const state = async (id: string) => (await tokens.list()).find((each) => each.id === id)?.state;
  return { store, clock, tokens, state };
}

test("a token is told once, and only its hash is kept", async () => {
  const { store, tokens } = cluster();
  const { id, token, notAfter } = await tokens.create({ ...plain, description: "rack 7" });
  expect(isToken(token)).toBe(true);
  expect([id, notAfter]).toEqual([token.slice(0, 6), "2027-03-02T12:00:00Z"]);
  const [kept] = await store.list(JoinToken);
  expect(kept?.metadata.id).toBe(id);
  expect(kept?.spec).toEqual({
    hash: createHash("sha256").update(token).digest("hex"),
    description: "rack 7",
    ...{ created: "2027-03-01T12:00:00Z", notAfter, revoked: "", uses: 1, used: 0 },
    ...{ bounds: { dnsNames: [], addresses: [] }, machineType: "worker" },
  });
  const secret = token.slice(7);
  expect(JSON.stringify([kept, await tokens.list()])).not.toContain(secret);
});

test("names and addresses that bound it are kept as they are compared", async () => {
  const { tokens } = cluster();
  const { id } = await tokens.create({
    ...{ ...plain, uses: 0, lifetime: undefined, machineType: "controlplane" },
    dnsNames: ["*.Example.com", "cp-2.example.com", "*.example.com"],
    addresses: ["192.0.2.7", "2001:DB8:0::1", "::ffff:192.0.2.8", "10.0.0.0/8", "FD00::/64"],
  });
  expect(await tokens.list()).toEqual([
    expect.objectContaining({
      ...{ id, uses: 0, notAfter: "", machineType: "controlplane", state: "Valid" },
      bounds: {
        dnsNames: ["*.example.com", "cp-2.example.com"],
        addresses: ["192.0.2.7", "2001:db8::1", "192.0.2.8", "10.0.0.0/8", "fd00::/64"],
      },
    }),
  ]);
});

test.each<[Partial<TokenRequest>, RegExp]>([
  [{ uses: -1 }, /^uses is -1: a token is good for 1 to 1000000 joins/],
  [{ uses: 1_000_001 }, /^uses is/],
  [{ uses: 1.5 }, /^uses is/],
  [{ lifetime: 0 }, /^lifetime is shorter than a second/],
  [{ lifetime: -hours(1) }, /^lifetime is shorter/],
  [{ lifetime: NaN }, /^lifetime is shorter/],
  [{ lifetime: days(3651) }, /^lifetime is longer than ten years/],
  [{ dnsNames: ["a_b..c"] }, /^dns_names: "a_b..c" is no DNS name/],
  [{ dnsNames: ["worker-*"] }, /^dns_names/],
  [{ dnsNames: ["*"] }, /^dns_names/],
  [{ dnsNames: ["a.example."] }, /ends without a dot$/],
  [{ dnsNames: ["192.0.2.1"] }, /^dns_names/],
  [{ dnsNames: [""] }, /^dns_names/],
  [{ dnsNames: ["a\0b"] }, /^dns_names: "a\\u0000b"/],
  [{ addresses: ["node-1"] }, /^addresses: "node-1" is neither/],
  [{ addresses: ["10.0.0.0/33"] }, /^addresses/],
  [{ addresses: ["fe80::1%eth0"] }, /^addresses/],
  [{ addresses: ["::ffff:10.0.0.0/104"] }, /write it as one of IPv4$/],
  [{ machineType: "init" }, /^machine_type is "init": it is worker or controlplane$/],
  [{ description: "x".repeat(1001) }, /^description has more than 1000/],
  [{ addresses: Array.from({ length: 101 }, (_, i) => `10.0.0.${i}`) }, /more than 100 items$/],
])("%j is refused, and nothing is kept", async (part, message) => {
  const { store, tokens } = cluster();
  const refused = tokens.create({ ...plain, ...part });
  await expect(refused).rejects.toMatchObject({ code: "ERR_INVALID_REQUEST" });
  await expect(refused).rejects.toThrow(message);
  expect(await store.list(JoinToken)).toEqual([]);
});

test("it is valid until it is spent, has ended or was revoked; what is for good is told first", async () => {
  const { store, clock, tokens, state } = cluster();
  const { id } = await tokens.create({ ...plain, uses: 2 });
  const use = () =>
    store.modify(JoinToken, id, (token) => {
      token.used++;
    });
  await use();
  expect(await state(id)).toBe("Valid");
  await use();
  expect(await state(id)).toBe("Spent");
  clock.advanceTo(after(START, hours(24) - 1));
  expect(await state(id)).toBe("Spent");
  clock.advanceTo(after(START, hours(24)));
  expect(await state(id)).toBe("Ended");
  await tokens.revoke(id);
  expect(await state(id)).toBe("Revoked");
});

test("one that may be used any number of times is not spent", async () => {
  const { store, tokens, state } = cluster();
  const { id } = await tokens.create({ ...plain, uses: 0 });
  await store.modify(JoinToken, id, (token) => void (token.used = 1000));
  expect(await state(id)).toBe("Valid");
});

test("one that was revoked keeps the time of it, and is listed for thirty days more", async () => {
  const { store, clock, tokens } = cluster();
  const { id } = await tokens.create({ ...plain, lifetime: undefined });
  await tokens.revoke(id);
  clock.advanceTo(after(START, hours(1)));
  await tokens.revoke(id);
  expect((await store.get(JoinToken, id))?.spec.revoked).toBe("2027-03-01T12:00:00Z");
  const { id: ending } = await tokens.create(plain);
  const ids = async () => {
    await tokens.create(plain); // old ones are forgotten when there is a new one
    return (await tokens.list()).map((each) => each.id);
  };
  clock.advanceTo(after(START, days(30) - 1));
  expect(await ids()).toContain(id);
  clock.advanceTo(after(START, days(30)));
  expect(await ids()).not.toContain(id);
  expect(await ids()).toContain(ending);
  clock.advanceTo(after(START, days(31) + hours(1)));
  expect(await ids()).not.toContain(ending);
});

test("one that is not there is named, and no more of it than an id has", async () => {
  const { tokens } = cluster();
  const missing = tokens.revoke("abcdef.0123456789abcdef");
  await expect(missing).rejects.toMatchObject({ code: "ERR_TOKEN_UNKNOWN" });
  await expect(missing).rejects.toThrow(/^there is no join token "abcdef": /);
});

test("an id that is taken is drawn anew", async () => {
  let bytes = 0;
  const random: Random = {
    // The first 44 characters are two tokens that are the same, the next another.
    bytes: (length) => new Uint8Array(length).fill((bytes += length) <= 44 ? 1 : 2),
  };
  const { tokens } = cluster(random);
  expect((await tokens.create(plain)).id).toBe("111111");
  expect((await tokens.create(plain)).id).toBe("222222");
});

test("where the cluster has no store, there are no tokens", async () => {
  const store = openMemoryStore();
  await store.create(MachineType, "machine-type", { type: "controlplane" });
  const options = { store, controlPlanes: ["192.0.2.2"], apiAddress: "192.0.2.1" };
  const world = { clock: manualClock(START), random: systemRandom };
  const tokens = openTokens({ cluster: clusterStore(options), ...world });
  for (const refused of [tokens.create(plain), tokens.list(), tokens.revoke("abcdef")])
    await expect(refused).rejects.toMatchObject({ code: "ERR_NO_CLUSTER_STORE" });
});

test("one whose end is damaged has ended, and neither keeps others from being listed nor made", async () => {
  const { store, tokens, state } = cluster();
  const { id } = await tokens.create(plain);
  await store.modify(JoinToken, id, (spec) => {
    spec.notAfter = "soon";
  });
  const other = await tokens.create(plain);
  expect([await state(id), await state(other.id)]).toEqual(["Ended", "Valid"]);
});
