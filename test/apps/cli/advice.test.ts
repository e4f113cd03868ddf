/** What a person is told who was refused, against a node that really refuses. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { writeTalosconfig } from "#config";
import { after, days, systemClock } from "#runtime";
import { issueClient, issueRoot, issueServer } from "../apid/running-node.ts";
import { bench, type Bench } from "./harness.ts";
import { startNode } from "./listening-node.ts";

const NODE = "127.0.0.1";
let root: Awaited<ReturnType<typeof issueRoot>>;
let node: Awaited<ReturnType<typeof startNode>>;
beforeAll(async () => {
  root = await issueRoot();
  node = await startNode(root, { address: NODE, id: "apid-server", received: [] });
});
afterAll(async () => {
  await node.apid.close();
  await node.store.close();
});

let here: Bench;
beforeEach(async () => {
  here = await bench(systemClock.now());
  await talosconfig(await issueClient(root));
});
afterEach(() => here[Symbol.asyncDispose]());

async function talosconfig(identity: { crt: string; key: string }): Promise<void> {
  const endpoints = [`${NODE}:${node.apid.port}`];
  const context = { endpoints, nodes: [NODE], ca: root.crt, ...identity };
  await here.write("tc", writeTalosconfig({ context: "test", contexts: { test: context } }));
}

const run = (...argv: string[]) => here.runWith({ env: { TALOSCONFIG: "tc" } }, ...argv);

test("a namespace that is not there", async () => {
  const { status: exit, stderr } = await run("get", "certstatus", "--namespace", "secret");
  expect({ exit, stderr }).toEqual({
    exit: 1,
    stderr:
      'error: rpc error: code = PermissionDenied desc = namespace "secret" is not supported\n' +
      "hint: trustplane get namespaces lists them\n",
  });
});

test("a node that the endpoint does not serve is named, with what -n takes", async () => {
  const { status: exit, stdout, stderr } = await run("get", "certstatus", "-n", "kube-system");
  expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
  expect(stderr).toBe(
    "error: rpc error: code = PermissionDenied desc = no request forwarding\n" +
      'hint: "kube-system" is not the node that answers at this endpoint, which is a worker or has ' +
      "no certificate for others: name a control plane with --endpoints\n",
  );
  const several = await run("get", "certstatus", "-n", `${NODE},elsewhere`);
  expect(several.stderr).toContain("error: elsewhere: rpc error: code = PermissionDenied");
  expect(several.stderr).toContain('hint: "elsewhere" is not the node');
});

test("what a role does not allow: the roles of the certificate are named", async () => {
  await talosconfig(await issueClient(root, ["os:operator", "os:reader"]));
  const hint =
    'hint: the client certificate of context "test" in tc has the roles os:operator, os:reader; ' +
    "get and list need os:reader; read, sensitive kinds and changes need os:admin\n";
  const refusal = "error: rpc error: code = PermissionDenied desc = not authorized\n" + hint;
  await here.write("new.yaml", "machine: {}\n");
  for (const argv of [
    ["get", "machineconfig"],
    ["get", "machineconfig", "-w"],
    ["apply-config", "-f", "new.yaml"],
    ["config", "new", "made"],
  ])
    expect(await run(...argv)).toEqual({ status: 1, stdout: "", stderr: refusal });
  await talosconfig(await issueClient(root, ["os:etcd:backup"]));
  expect((await run("get", "rd")).stderr).toContain("tc has the role os:etcd:backup; get and");
});

test("a node that is not in maintenance hangs up on who has no certificate", async () => {
  const place = `${NODE}:${node.apid.port}`;
  for (const argv of [["version"], ["get", "rd"]]) {
    const { status, stderr } = await run(...argv, "-i", "-n", place);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        `error: the node at ${place} hung up: it is not in maintenance; ` +
        "leave out --insecure and use its talosconfig\n",
    });
  }
});

test("what nobody gets in by is not denied; what else ends with a denial is told", async () => {
  const deny = async ({ crt }: { crt: string }) => {
    await here.write("its.crt", crt);
    return run("deny", "--certificate", "its.crt");
  };
  const refused = (stderr: string) => ({
    status: 1,
    stdout: "",
    stderr: `error: "its.crt" ${stderr}\n`,
  });
  expect(await deny(root)).toEqual(
    refused("holds an authority: it is dropped by rotating it, not by deny"),
  );
  expect(await deny(await issueServer(root))).toEqual(
    refused("is no client certificate (no client auth usage): nobody is turned away by it"),
  );
  expect((await deny(await issueClient(root, ["os:impersonator"]))).stderr).toContain(
    "WARNING: this is a node's certificate: requests that it passes on are refused\n",
  );
  const own = await issueClient(root);
  await talosconfig(own);
  expect((await deny(own)).stderr).toMatch(
    /^WARNING: .* only another administrator can undo that; whoever has the secrets makes one: trustplane gen config NAME ENDPOINT --with-secrets secrets\.yaml --output-types talosconfig$/m,
  );
});

test("a rejected reader learns how an administrator issues such a certificate", async () => {
  const stranger = await issueRoot();
  const cure =
    /^hint: issue a new talosconfig: .*; an administrator issues one .* config new --roles os:reader$/m;
  await talosconfig(await issueClient(stranger, ["os:reader"]));
  const reader = await run("get", "rd");
  expect(reader.status).toBe(1);
  expect(reader.stderr).toMatch(cure);
  const now = after(systemClock.now(), -days(2));
  await talosconfig(await issueClient(root, ["os:reader"], { now, lifetime: days(1) }));
  expect((await run("get", "rd")).stderr).toMatch(cure);
  await talosconfig(await issueClient(stranger));
  const admin = await run("get", "rd");
  expect(admin.stderr).toMatch(/^hint: issue a new talosconfig: /m);
  expect(admin.stderr).not.toContain("config new");
});
