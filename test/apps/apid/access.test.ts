import { describe, expect, test } from "vitest";
import { CallFailedError } from "../../../src/apps/client/index.ts";
import { authorize } from "../../../src/apps/apid/roles.ts";
import { issueClient, Note, runNode, Secret } from "./running-node.ts";

const roleSets = {
  "os:admin": ["os:admin"],
  "os:operator": ["os:operator"],
  "os:reader": ["os:reader"],
  "os:etcd:backup": ["os:etcd:backup"],
  "no role": [],
  "an unknown role": ["os:superuser"],
  "a reader among unknown roles": ["x", "os:reader"],
  "a role with spaces around it": [" os:admin "],
  "an impersonator who says nothing": ["os:impersonator"],
} satisfies Record<string, string[]>;

const outcomes: Record<
  keyof typeof roleSets,
  readonly [version: string, note: string, secret: string]
> = {
  "os:admin": ["ok", "ok", "ok"],
  "os:operator": ["ok", "ok", "not authorized"],
  "os:reader": ["ok", "ok", "not authorized"],
  "os:etcd:backup": ["not authorized", "not authorized", "not authorized"],
  "no role": ["not authorized", "not authorized", "not authorized"],
  "an unknown role": ["not authorized", "not authorized", "not authorized"],
  "a reader among unknown roles": ["ok", "ok", "not authorized"],
  "a role with spaces around it": ["ok", "ok", "ok"],
  "an impersonator who says nothing": ["not authorized", "not authorized", "not authorized"],
};

const outcome = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "ok";
  } catch (error) {
    if (!(error instanceof CallFailedError)) throw error;
    return error.message.replace(/^rpc error: code = PermissionDenied desc = /, "");
  }
};

test("roles decide about methods and sensitive kinds", async () => {
  await using node = await runNode();
  await node.store.create(Note, "a", { text: "" });
  await node.store.create(Secret, "a", { key: "" });
  const at = (kind: typeof Note | typeof Secret) => ({
    namespace: "test",
    type: kind.type,
    id: "a",
  });
  for (const [name, roles] of Object.entries(roleSets)) {
    const client = node.client(await issueClient(node.root, roles));
    const [version, note, secret] = outcomes[name as keyof typeof roleSets];
    expect([name, await outcome(client.version())]).toEqual([name, version]);
    expect([name, await outcome(client.list(Note))]).toEqual([name, note]);
    expect([name, await outcome(client.get(at(Note)))]).toEqual([name, note]);
    expect([name, await outcome(client.list(Secret))]).toEqual([name, secret]);
    expect([name, await outcome(client.get(at(Secret)))]).toEqual([name, secret]);
    const watch = client.watch(Secret)[Symbol.asyncIterator]();
    expect([name, await outcome(watch.next())]).toEqual([name, secret]);
    await watch.return?.();
  }
});

test("the words of a refusal are Talos'", async () => {
  await using node = await runNode();
  const admin = await node.admin();
  expect(await outcome(admin.list({ namespace: "test", type: "Ghosts.test.example.dev" }))).toBe(
    'resource type "Ghosts.test.example.dev" is not supported',
  );
  expect(await outcome(admin.list({ namespace: "attic", type: Note.type }))).toBe(
    'namespace "attic" is not supported',
  );
  // Sensitivity is looked at before the namespace is.
  const reader = node.client(await issueClient(node.root, ["os:reader"]));
  expect(await outcome(reader.list({ namespace: "attic", type: Secret.type }))).toBe(
    "not authorized",
  );
  expect(await outcome(reader.list({ namespace: "test", type: Secret.type.toUpperCase() }))).toBe(
    "not authorized",
  );
});

describe("methods by role", () => {
  const allowed = (method: string) =>
    ["os:admin", "os:operator", "os:reader", "os:etcd:backup", "os:meta:writer"].filter((role) => {
      try {
        authorize(new Set([role]), method);
        return true;
      } catch {
        return false;
      }
    });
  test.each([
    ["/machine.MachineService/Version", ["os:admin", "os:operator", "os:reader"]],
    ["/machine.MachineService/Reboot", ["os:admin", "os:operator"]],
    [
      "/machine.MachineService/EtcdStatus",
      ["os:admin", "os:operator", "os:reader", "os:etcd:backup"],
    ],
    ["/machine.MachineService/EtcdSnapshot", ["os:admin", "os:operator", "os:etcd:backup"]],
    ["/machine.MachineService/ApplyConfiguration", ["os:admin"]],
    ["/machine.MachineService/GenerateClientConfiguration", ["os:admin"]],
    ["/machine.MachineService/MetaWrite", ["os:admin", "os:meta:writer"]],
    ["/cosi.resource.State/Watch", ["os:admin", "os:operator", "os:reader"]],
    ["/cosi.resource.State/Create", ["os:admin"]],
    ["/no.such.Service/Method", ["os:admin"]],
  ])("%s", (method, roles) => {
    expect(allowed(method)).toEqual(roles);
  });
});
