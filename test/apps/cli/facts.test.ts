/** Verbs that ask a node how it is and what it has: against one that is really there. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { unzipSync, strFromU8 } from "fflate";
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { writeKubeconfig, writeTalosconfig } from "#config";
import { MachineConfig } from "#resources";
import { at, days, hours, manualClock, systemClock, systemRandom } from "#runtime";
import {
  SecretFileError,
  UnhealthyError,
  type Directory,
  type Entry,
  type NodePorts,
} from "../../../src/apps/apid/index.ts";
import { newBoot } from "../../../src/apps/node/boot.ts";
import { issueClient, issueRoot } from "../apid/running-node.ts";
import { bench, type Bench } from "./harness.ts";
import { startNode } from "./listening-node.ts";

const NODE = "127.0.0.1";
const modified = at("2030-01-02T03:04:05Z");
const stat = async () => ({ size: 3, mode: 0o444, modified, uid: 0, gid: 0 });
const file = (bytes: Uint8Array): Entry => ({ kind: "file", stat, read: async () => bytes });
const directory = (entries: Record<string, Entry>): Directory => ({
  kind: "directory",
  stat,
  entries: async () => new Map(Object.entries(entries)),
});
const root = directory({
  proc: directory({ version: file(Buffer.from("Linux\n")), raw: file(Buffer.from([0xff, 0])) }),
  key: { kind: "file", stat, read: () => Promise.reject(new SecretFileError("/key")) },
  link: { kind: "symlink", target: "/proc", stat },
  bad: { kind: "file", stat: () => Promise.reject(new Error()), read: stat as never },
});
let healthTimeout = 0;
let sick = false;
const issued = writeKubeconfig({
  ...{ cluster: "c1", endpoint: "https://192.0.2.1:6443", ca: "CA", user: "admin" },
  ...{ crt: "CRT", key: "KEY" },
});
const boot = newBoot({ clock: manualClock(modified), random: systemRandom });
boot.logs.write("apid", "apid starts");
const more: Partial<NodePorts> = {
  services: boot.services,
  logs: boot.logs.logs,
  time: { clock: manualClock(at("2030-01-01T10:00:00.120Z")), source: async () => "chrony" },
  health: async ({ tell, timeout }) => {
    healthTimeout = timeout;
    await tell("waiting for x: ...");
    if (sick) throw new UnhealthyError("x is sick");
    await tell("waiting for x: OK");
  },
  files: root,
  kubeconfig: { issue: async () => issued, clock: manualClock(modified) },
  graph: () => [],
};

let authority: Awaited<ReturnType<typeof issueRoot>>;
let node: Awaited<ReturnType<typeof startNode>>;
beforeAll(async () => {
  authority = await issueRoot();
  node = await startNode(authority, { address: NODE, id: "apid-server", received: [], more });
  await node.store.create(MachineConfig, "v1alpha1", { yaml: "token: hush\n" });
});
afterAll(async () => {
  await node.apid.close();
  await node.store.close();
});

let here: Bench;
beforeEach(async () => {
  sick = false;
  here = await bench(systemClock.now());
  await talosconfig(await issueClient(authority));
});
afterEach(() => here[Symbol.asyncDispose]());

async function talosconfig(identity: { crt: string; key: string }): Promise<void> {
  const endpoints = [`${NODE}:${node.apid.port}`];
  const context = { endpoints, nodes: [NODE], ca: authority.crt, ...identity };
  await here.write("tc", writeTalosconfig({ context: "test", contexts: { test: context } }));
}

const run = (...argv: string[]) => here.runWith({ env: { TALOSCONFIG: "tc" } }, ...argv);
const BOTH = ["-n", `${NODE},${NODE}`];

describe("time and health", () => {
  test("time as Go prints it", async () => {
    expect(await run("time")).toEqual({
      status: 0,
      stdout:
        "NODE        NTP-SERVER   NODE-TIME                          NTP-SERVER-TIME\n" +
        "127.0.0.1   chrony       2030-01-01 10:00:00.12 +0000 UTC   2030-01-01 10:00:00.12 +0000 UTC\n",
      stderr: "",
    });
    expect(await run("time", "--check", "ntp.example")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /^error: rpc error: code = Unimplemented desc = .*\n$/,
      ) as string,
    });
  });

  test("health says on stderr what it waits for, and its status is the answer", async () => {
    expect(await run("health", "--wait-timeout", "1m")).toEqual({
      status: 0,
      stdout: "",
      stderr: "waiting for x: ...\nwaiting for x: OK\n",
    });
    expect(healthTimeout).toBe(60_000);
    sick = true;
    const { status, stderr } = await run("health");
    expect(status).toBe(1);
    expect(stderr).toContain("code = DeadlineExceeded desc = x is sick\n");
    expect(healthTimeout).toBe(20 * 60_000);
  });

  test("what a node does not do is refused at once", async () => {
    expect(await run("health", "--server=false")).toMatchObject({ status: 2, stdout: "" });
    for (const verb of [["health"], ["read", "/x"], ["kubeconfig"]])
      expect((await run(...verb, ...BOTH)).stderr).toContain("not supported with multiple nodes");
  });
});

describe("files", () => {
  test("read prints the file as it is", async () => {
    expect(await run("read", "/proc/version")).toEqual({
      status: 0,
      stdout: "Linux\n",
      stderr: "",
    });
    const refused = await run("read", "/key");
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toContain("code = PermissionDenied");
  });

  test("list, short and long", async () => {
    const { status, stdout, stderr } = await run("ls");
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: "127.0.0.1: error reading file /bad: it cannot be looked at\n",
    });
    expect(stdout).toBe(
      "NODE        NAME\n" +
        [".", "key", "link", "proc"].map((name) => `127.0.0.1   ${name}\n`).join(""),
    );
    expect((await run("list", "/proc", "-l", "-t", "f")).stdout).toBe(
      "NODE        MODE         UID   GID   SIZE(B)   LASTMOD           NAME\n" +
        "127.0.0.1   -r--r--r--   0     0     3         Jan  2 03:04:05   raw\n" +
        "127.0.0.1   -r--r--r--   0     0     3         Jan  2 03:04:05   version\n",
    );
    const links = (await run("list", "-l", "-t", "l")).stdout;
    expect(links).toMatch(/Lr--r--r--.* link -> \/proc\n$/);
  });

  test("deeper with -r, and as deep as -d", async () => {
    const found = async (...flags: string[]) => (await run("list", ...flags)).stdout;
    expect(await found("-r")).toContain("proc/version");
    expect(await found("-d", "2")).toContain("proc/version");
    expect(await found("-d", "1")).not.toContain("proc/version");
  });

  test("no container, but a table", async () => {
    const { status, stdout } = await run("containers");
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: "NODE   NAMESPACE   ID   IMAGE   PID   STATUS\n",
    });
  });
});

describe("kubeconfig", () => {
  test("without merging it is a file of its own, never by accident", async () => {
    expect(await run("kubeconfig", "--merge=false")).toMatchObject({ status: 0 });
    expect(await here.read("kubeconfig")).toBe(issued);
    expect(await here.mode("kubeconfig")).toBe(0o600);
    expect(await run("kubeconfig", "--merge=false")).toMatchObject({
      status: 1,
      stderr: 'error: file "kubeconfig" already exists, use --force to overwrite\n',
    });
    expect(await run("kubeconfig", "--merge=false", "-f")).toMatchObject({ status: 0 });
    expect((await run("kubeconfig", "-m=false", "-")).stdout).toBe(issued);
  });

  test("merged into the user's own, which keeps what is in it", async () => {
    await here.write(
      "own",
      "# mine\napiVersion: v1\nkind: Config\nusers:\n- name: me\n  user: {}\n",
    );
    expect(await run("kubeconfig", "own")).toMatchObject({ status: 0, stderr: "" });
    const text = await here.read("own");
    expect(text).toMatch(/^# mine\n/);
    expect(parse(text)).toMatchObject({
      "current-context": "admin@c1",
      clusters: [{ name: "c1" }],
      users: [{ name: "me" }, { name: "admin@c1" }],
      contexts: [{ name: "admin@c1", context: { cluster: "c1", user: "admin@c1" } }],
    });
    expect(await run("kubeconfig", "own")).toMatchObject({ status: 0, stderr: "" });
    expect(await here.read("own")).toBe(text);
  });

  test("a name that is taken by something else is not taken away", async () => {
    const other = issued.replaceAll("192.0.2.1", "192.0.2.9");
    await here.write("own", other);
    const { stderr } = await run("kubeconfig", "own");
    expect(stderr).toBe(
      'renamed cluster "c1" -> "c1-1"\nrenamed context "admin@c1" -> "admin@c1-1"\n',
    );
    expect(parse(await here.read("own"))).toMatchObject({
      "current-context": "admin@c1-1",
      clusters: [{ name: "c1" }, { name: "c1-1" }],
      contexts: [{}, { context: { cluster: "c1-1", user: "admin@c1" } }],
    });
    await here.write("own", other);
    await run("kubeconfig", "own", "--force");
    expect(parse(await here.read("own"))).toEqual(parse(issued));
    await run("kubeconfig", "own", "--force-context-name", "prod");
    expect(parse(await here.read("own"))).toMatchObject({ "current-context": "prod" });
  });

  test("what is no kubeconfig is left alone", async () => {
    await here.write("own", "- list\n");
    expect(await run("kubeconfig", "own")).toMatchObject({ status: 1 });
    expect(await here.read("own")).toBe("- list\n");
  });

  test("by default it goes where kubectl looks", async () => {
    const env = { TALOSCONFIG: "tc", KUBECONFIG: join(here.cwd, "first:second") };
    await here.runWith({ env }, "kubeconfig");
    expect(await here.files()).toContain("first");
    await run("kubeconfig");
    expect(await readFile(join(here.home, ".kube/config"), "utf8")).toBe(issued);
  });
});

describe("support", () => {
  const zip = async (path: string) => {
    const files = unzipSync(await readFile(join(here.cwd, path)));
    return new Map(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
  };

  test("a zip with everything but secrets", async () => {
    expect(await run("support")).toMatchObject({ status: 0 });
    const files = await zip("support.zip");
    expect(JSON.parse(files.get(`${NODE}/version.json`) ?? "")).toMatchObject({ tag: "v1.14.0" });
    expect(files.get(`${NODE}/dependencies.dot`)).toMatch(/^digraph/);
    expect(files.get(`${NODE}/logs/apid.log`)).toBe("apid starts\n");
    const services = JSON.parse(files.get(`${NODE}/services.json`) ?? "") as object[];
    expect(services).toContainEqual(
      expect.objectContaining({
        ...{ id: "apid", state: "Waiting", health: "unknown" },
        events: [expect.objectContaining({ at: "2030-01-02T03:04:05Z" })],
      }),
    );
    expect([...files.keys()]).not.toContain(`${NODE}/errors.txt`);
    const certificates = files.get(`${NODE}/resources/CertificateStatuses.secrets.talos.dev.yaml`);
    expect(certificates).toContain("state: Valid");
    const configuration = files.get(`${NODE}/resources/MachineConfigs.config.talos.dev.yaml`);
    expect(parse(configuration ?? "")).toMatchObject({
      metadata: { id: "v1alpha1" },
      spec: "*** redacted ***",
    });
    expect([...files.values()].join("")).not.toContain("hush");
    expect(await here.mode("support.zip")).toBe(0o600);
    expect(await run("support")).toMatchObject({ status: 1 });
    expect(await run("support", "-f")).toMatchObject({ status: 0 });
  });

  test("who may see less gets less, and is told", async () => {
    await talosconfig(await issueClient(authority, ["os:reader"]));
    expect(await run("support", "-O", "less.zip")).toMatchObject({ status: 0 });
    const files = await zip("less.zip");
    const configuration = files.get(`${NODE}/resources/MachineConfigs.config.talos.dev.yaml`);
    expect(configuration).toMatch(/^# rpc error: code = PermissionDenied/);
  });

  test("a node that is not there leaves no file", async () => {
    expect(await run("support", "-e", "127.0.0.1:1")).toMatchObject({ status: 1 });
    expect(await here.files()).toEqual(["tc"]);
  });
});

describe("a client certificate that ends soon", () => {
  test("one line on stderr for every verb that talks to nodes, and none for others", async () => {
    const { notAfter } = { notAfter: days(29) };
    await talosconfig(await issueClient(authority, ["os:reader"], { lifetime: notAfter }));
    const line =
      /^WARNING: the client certificate of context "test" in tc ends in 28 days, at \S+Z: trustplane config new FILE --roles os:reader issues another one\n$/;
    expect((await run("time")).stderr).toMatch(line);
    expect((await run("get", "certstatus")).stderr).toMatch(line);
    expect((await run("config", "info")).stderr).toBe("");
    await talosconfig(await issueClient(authority, [], { lifetime: hours(1) }));
    expect((await run("version")).stderr).toMatch(
      /ends in less than a day, .* config new FILE issues/,
    );
  });

  test("31 days are time enough", async () => {
    await talosconfig(await issueClient(authority, ["os:admin"], { lifetime: days(31) }));
    expect((await run("time")).stderr).toBe("");
  });

  test("one that has ended: which, since when, and what mends it", async () => {
    const now = (systemClock.now() - days(3)) as typeof modified;
    await talosconfig(await issueClient(authority, ["os:admin"], { now, lifetime: days(1) }));
    const { status, stdout, stderr } = await run("time");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^error: .*certificate has expired: .*context "test" in tc .* to \S+Z/);
    expect(stderr).toMatch(/\nhint: .*trustplane gen config/);
  });
});

describe("jsonpath", () => {
  const path = (template: string) =>
    run("get", "certstatus", "apid-server", "-o", `jsonpath=${template}`);

  test("a line for each result; lists are indented JSON", async () => {
    expect((await path("{.spec.state}")).stdout).toBe("Valid\n");
    expect((await path("{.node}{.metadata.version}")).stdout).toBe("127.0.0.1\n1\n");
    expect((await path("{.spec.dnsNames}")).stdout).toBe('[\n    "node-1"\n]\n');
    expect((await path("{.spec.dnsNames[*]}")).stdout).toBe("node-1\n");
  });

  test("what is not there is an error, as is what is no template", async () => {
    expect(await path("{.spec.nothing}")).toEqual({
      status: 1,
      stdout: "",
      stderr: "error: nothing is not found\n",
    });
    expect(await path("{.spec")).toMatchObject({ status: 1, stdout: "" });
    expect(await run("get", "rd", "-o", "jsonpath=")).toMatchObject({ status: 2 });
    expect(await run("get", "rd", "-o", "jsnpath={.x}")).toMatchObject({ status: 2 });
  });
});

describe("completion", () => {
  const complete = async (...words: string[]) =>
    (await run("__complete", "--", ...words)).stdout.trim().split("\n");

  test("verbs, flags and their values", async () => {
    expect(await complete("ge")).toEqual(["gen", "get"]);
    expect(await complete("config", "conte")).toEqual(["context", "contexts"]);
    expect(await complete("get", "--name")).toEqual(["--namespace"]);
    expect(await complete("get", "-o", "j")).toEqual(["json", "jsonpath="]);
    expect(await complete("get", "--output=y")).toEqual(["--output=yaml"]);
    expect(await complete("get", "--output", "=", "y")).toEqual(["yaml"]);
    expect(await complete("")).not.toContain("__complete");
  });

  test("kinds, ids, namespaces, contexts and paths", async () => {
    expect(await complete("get", "certs")).toEqual(["certstatus"]);
    expect(await complete("get", "certstatus", "")).toEqual(["apid-server"]);
    expect(await complete("-n", NODE, "get", "-o", "yaml", "certstatus", "a")).toEqual([
      "apid-server",
    ]);
    expect(await complete("get", "--namespace", "s")).toEqual(["secrets"]);
    expect(await complete("config", "context", "")).toEqual(["test"]);
    expect(await complete("-n", "x,127")).toEqual(["x,127.0.0.1", `x,127.0.0.1:${node.apid.port}`]);
    expect(await complete("read", "/proc/v")).toEqual(["/proc/version"]);
    expect(await complete("read", "/p")).toEqual(["/proc/"]);
  });

  test("without a node there is nothing, and nobody is told", async () => {
    await here.write("tc", "context: gone\ncontexts: {}\n");
    expect(await run("__complete", "--", "get", "c")).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
  });

  test.each(["bash", "zsh", "fish"])("a script for %s", async (shell) => {
    const { status, stdout } = await run("completion", shell);
    expect(status).toBe(0);
    const found = spawnSync(shell, ["-n"], { input: stdout });
    if (found.error) console.log(`${shell} is not here: its script is looked at, and not run`);
    else expect(found.stderr.toString()).toBe("");
    expect(stdout).toContain("__complete");
  });

  test("bash completes by it", async () => {
    const { stdout: script } = await run("completion", "bash");
    await here.write("script", script);
    const launcher = join(import.meta.dirname, "../../../bin/trustplane");
    const ask = `source ./script; COMP_WORDS=("$1" get --outp); COMP_CWORD=2; _trustplane; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync("bash", ["-c", ask, "bash", launcher], { cwd: here.cwd });
    expect(stdout.toString()).toBe("--output\n");
  });
});
