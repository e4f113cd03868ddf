import { createHash, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { silentLogger, systemClock } from "#runtime";
import { openMemoryStore } from "#runtime/store";
import type { AuditEntry } from "../../../src/apps/audit/index.ts";
import { startMaintenance } from "../../../src/apps/apid/index.ts";
import { connectInsecurely } from "../../../src/apps/client/index.ts";
import { issueRoot, issueServer, Namespace, Note, Secret } from "./running-node.ts";

async function inMaintenance() {
  const identity = await issueServer(await issueRoot());
  const store = openMemoryStore();
  await store.create(Namespace, "test", { description: "" });
  await store.create(Note, "a", { text: "x" });
  const taken: string[] = [];
  const entries: AuditEntry[] = [];
  const maintenance = await startMaintenance({
    address: "127.0.0.1",
    port: 0,
    identity,
    store,
    kinds: [Namespace, Note, Secret],
    clock: systemClock,
    log: silentLogger,
    build: { sha: "", built: "" },
    record: async (entry) => void entries.push(entry),
    async applyConfiguration({ data, dryRun }) {
      if (!dryRun) taken.push(data);
      return { warnings: [], modeDetails: "" };
    },
  });
  const node = `127.0.0.1:${maintenance.port}`;
  const connect = (fingerprint?: string) =>
    connectInsecurely({ nodes: [node], clock: systemClock, ...(fingerprint && { fingerprint }) });
  const { publicKey } = new X509Certificate(identity.crt);
  const fingerprint = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
  return { maintenance, store, taken, entries, node, connect, fingerprint };
}

test("anybody may read what is no secret, and nothing else", async () => {
  const { maintenance, node, connect } = await inMaintenance();
  await using _ = maintenance;
  await using client = await connect();
  expect((await client.version({ node })).tag).toBe("v1.14.0");
  expect(await client.list(Note, { node })).toHaveLength(1);
  await expect(client.list(Secret, { node })).rejects.toThrow("desc = not authorized");
  const request = { roles: ["os:admin"], lifetime: 1000 };
  await expect(client.issueClientConfiguration(request, { node })).rejects.toThrow(
    "desc = not authorized",
  );
});

test("one configuration is taken, any number is tried, and then it is over", async () => {
  const { maintenance, taken, node, connect } = await inMaintenance();
  await using _ = maintenance;
  await using client = await connect();
  for (const data of ["a", "b"]) await client.applyConfiguration({ data, dryRun: true }, { node });
  await client.applyConfiguration({ data: "c" }, { node });
  await maintenance.configured;
  await expect(client.applyConfiguration({ data: "d" }, { node })).rejects.toThrow(
    "maintenance is over",
  );
  await expect(client.version({ node })).rejects.toThrow("maintenance is over");
  expect(taken).toEqual(["c"]);
});

test("who configures the node is on record, by where it called from", async () => {
  const { maintenance, entries, node, connect } = await inMaintenance();
  await using _ = maintenance;
  await using client = await connect();
  await expect(client.list(Secret, { node })).rejects.toThrow("not authorized");
  await client.applyConfiguration({ data: "token: abcdef.0123456789abcdef" }, { node });
  expect(entries.map(({ method, outcome }) => [method.split("/")[2], outcome])).toEqual([
    ["List", "PERMISSION_DENIED"],
    ["ApplyConfiguration", "BEGUN"],
    ["ApplyConfiguration", "OK"],
  ]);
  for (const entry of entries) {
    expect(entry).toMatchObject({ fingerprint: "", subject: "", maintenance: true });
    expect(entry.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  }
  expect(JSON.stringify(entries)).not.toContain("abcdef");
});

test("what is tried in maintenance cannot fill the audit log", async () => {
  const { maintenance, entries, node, connect } = await inMaintenance();
  {
    await using _ = maintenance;
    await using client = await connect();
    for (let n = 0; n < 40; n++)
      await client.applyConfiguration({ data: "a", dryRun: true }, { node });
    expect(entries).toHaveLength(32);
  }
  expect(entries.slice(32)).toMatchObject([{ outcome: "OK", count: 48 }]);
});

test("a fingerprint names the one node that is believed", async () => {
  const { maintenance, node, connect, fingerprint } = await inMaintenance();
  await using _ = maintenance;
  await using client = await connect(fingerprint);
  expect((await client.version({ node })).tag).toBe("v1.14.0");
  const other = createHash("sha256").update("another").digest("base64");
  await expect(connect(other)).rejects.toMatchObject({
    code: "ERR_FINGERPRINT_MISMATCH",
    message: `the certificate at ${node} has another fingerprint: ${fingerprint}`,
  });
});

test("a node that is not there is named", async () => {
  const { maintenance, node, connect } = await inMaintenance();
  await maintenance[Symbol.asyncDispose]();
  await using client = await connect();
  await expect(client.version({ node })).rejects.toMatchObject({ code: "ERR_UNREACHABLE" });
  await expect(connect("a".repeat(43) + "=")).rejects.toMatchObject({ code: "ERR_UNREACHABLE" });
});
