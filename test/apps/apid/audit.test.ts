import { Metadata } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { AuditEntry } from "../../../src/apps/audit/index.ts";
import type { ApplyConfigurationResponse } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { ApplyConfigurationRequest_Mode as Mode } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { issueClient, Namespace, Note, rawClient, reply, runNode, Secret } from "./running-node.ts";

async function nodeOnRecord() {
  const entries: AuditEntry[] = [];
  const record = async (entry: AuditEntry) => void entries.push(entry);
  return { node: await runNode({ record }), entries };
}

test("a change is on record before it is answered, with who made it", async () => {
  const { node, entries } = await nodeOnRecord();
  await using _ = node;
  const identity = await issueClient(node.root);
  const raw = rawClient(node, identity);
  const metadata = new Metadata();
  metadata.set("node", "127.0.0.1");
  const request = {
    data: Buffer.from("machine:\n  token: abcdef.0123456789abcdef\n"),
    mode: Mode.AUTO,
    dryRun: true,
    tryModeTimeout: undefined,
  };
  await reply<ApplyConfigurationResponse>((done) =>
    raw.applyConfiguration(request, metadata, done),
  );
  raw.close();
  expect(entries).toMatchObject([
    {
      subject: "O = os:admin",
      roles: ["os:admin"],
      method: "/machine.MachineService/ApplyConfiguration",
      nodes: ["127.0.0.1"],
      resource: "",
      outcome: "OK",
      reason: "",
    },
  ]);
  expect(entries[0]?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(entries[0]?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(JSON.stringify(entries)).not.toContain("abcdef"); // the request holds secrets
});

test("a secret that is asked for is on record, and what anybody may read is not", async () => {
  const { node, entries } = await nodeOnRecord();
  await using _ = node;
  await node.store.create(Secret, "a", { key: "k" });
  await node.store.create(Note, "a", { text: "t" });
  const admin = await node.admin();
  await admin.get({ namespace: "test", type: Secret.type, id: "a" });
  await admin.list(Secret);
  await admin.list(Note);
  await admin.version();
  expect(entries.map(({ method, resource, outcome }) => [method, resource, outcome])).toEqual([
    ["/cosi.resource.State/Get", `test/${Secret.type}/a`, "OK"],
    ["/cosi.resource.State/List", `test/${Secret.type}`, "OK"],
  ]);
});

test("a watch of a secret is on record when it begins", async () => {
  const { node, entries } = await nodeOnRecord();
  await using _ = node;
  const admin = await node.admin();
  for await (const event of admin.watch(Secret)) {
    expect(event.type).toBe("bootstrapped");
    break;
  }
  expect(entries).toMatchObject([{ method: "/cosi.resource.State/Watch", outcome: "OK" }]);
});

test("a refusal is on record, with its reason", async () => {
  const { node, entries } = await nodeOnRecord();
  await using _ = node;
  const reader = node.client(await issueClient(node.root, ["os:reader"]));
  await expect(reader.list(Secret)).rejects.toThrow("not authorized");
  await expect(reader.list({ ...Namespace, type: "Nothings.x.dev" })).rejects.toThrow();
  const request = { roles: ["os:admin"], lifetime: 1000 };
  await expect(reader.issueClientConfiguration(request)).rejects.toThrow("not authorized");
  expect(entries.map(({ resource, outcome, reason }) => [resource, outcome, reason])).toEqual([
    [`test/${Secret.type}`, "PERMISSION_DENIED", "not authorized"],
    ["meta/Nothings.x.dev", "PERMISSION_DENIED", 'resource type "Nothings.x.dev" is not supported'],
    ["os:admin", "PERMISSION_DENIED", "not authorized"],
  ]);
});
