/** Three daemons with one configuration, each on a loopback address of its own, asked through one of them. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTalosconfig } from "#config";
import { systemClock } from "#runtime";
import { MachineServiceClient, type Event } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { clientCredentials, reply } from "../apid/running-node.ts";
import { bench, type Bench } from "../cli/harness.ts";
import { freePort } from "../cli/listening-node.ts";

const launcher = join(import.meta.dirname, "../../../bin/trustplane");
const addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
const timeout = 60_000;

let here: Bench;
let port: number;
const running: ChildProcess[] = [];

/** Starts a node, and waits until it says that it is there. */
async function start(address: string): Promise<void> {
  const args = ["up", "--config", "controlplane.yaml", "--state-dir", address];
  const listen = ["--api-address", address, "--api-port", String(port), "--time-source", "none"];
  const names = ["--hostname", `cp-${address.slice(-1)}`, "--member", addresses.join(",")];
  const child = spawn(launcher, [...args, ...listen, ...names], {
    cwd: here.cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  const ended = once(child, "close").then(() => {
    throw new Error(`${address} ended: ${text}`);
  });
  ended.catch(() => undefined); // of interest only while somebody waits
  while (!text.includes("apid listens") || !text.includes("admin"))
    await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), ended]);
}

beforeAll(async () => {
  here = await bench(systemClock.now());
  port = await freePort();
  const made = await here.run("gen", "config", "three", "https://127.0.0.2:6443");
  expect(made.stderr + String(made.status)).toMatch(/0$/);
  await Promise.all(addresses.map(start));
}, timeout);
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await here[Symbol.asyncDispose]();
});

const ask = (...argv: string[]) =>
  here.run(...argv, "-e", `127.0.0.2:${port}`, "--talosconfig", "127.0.0.2/talosconfig");

/** The nodes that a table has rows of. */
const nodesIn = (table: string) =>
  [
    ...new Set(
      table
        .trim()
        .split("\n")
        .slice(1)
        .map((row) => row.split(" ", 1)[0]),
    ),
  ].sort();

test(
  "one endpoint shows what all nodes hold; one is killed, and is the only one missing",
  { timeout },
  async () => {
    const verb = ["get", "certificatestatus", "-n", addresses.join(",")];
    const all = await ask(...verb);
    expect({ status: all.status, stderr: all.stderr }).toEqual({ status: 0, stderr: "" });
    expect(nodesIn(all.stdout)).toEqual(addresses);

    const third = running[addresses.indexOf("127.0.0.4")]!;
    third.kill("SIGKILL");
    await once(third, "close");
    const rest = await ask(...verb);
    expect(rest.status).toBe(1);
    expect(nodesIn(rest.stdout)).toEqual(["127.0.0.2", "127.0.0.3"]);
    expect(rest.stderr).toContain("127.0.0.4");
    expect(rest.stderr).toContain("ECONNREFUSED");
    expect(rest.stderr.trim().split("\n")).toHaveLength(1);
  },
);

test("each knows itself by name, and the others by address", { timeout }, async () => {
  const { stdout } = await ask("get", "members", "-n", "127.0.0.3");
  for (const part of ["cp-3", "127.0.0.2", "127.0.0.4", "Trustplane"])
    expect(stdout).toContain(part);
  expect(stdout.trim().split("\n")).toHaveLength(4);
  expect((await ask("get", "infos", "-n", "127.0.0.3")).stdout).toContain("three");
});

test(
  "a namespace where nodes are named is no node, and the hint says so",
  { timeout },
  async () => {
    const { status, stderr } = await ask("get", "members", "-n", "kube-system.invalid");
    expect(status).toBe(1);
    expect(stderr).toContain("node kube-system.invalid cannot be reached: getaddrinfo");
    expect(stderr).toContain("-n (--nodes) takes nodes, --namespace a namespace");
  },
);

test("events of two nodes go on when one is killed, and say which", { timeout }, async () => {
  const { context, contexts } = readTalosconfig(await here.read("127.0.0.2/talosconfig"));
  const { ca = "", crt = "", key = "" } = contexts[context] ?? {};
  const [own, other] = ["127.0.0.2", "127.0.0.3"];
  const machine = new MachineServiceClient(
    `ipv4:${own}:${port}`,
    ...clientCredentials({ crt: ca, key: "" }, { crt, key }),
  );
  const metadata = new Metadata();
  for (const name of [own, other]) metadata.add("nodes", name);
  const request = { tailEvents: 0, tailId: "", tailSeconds: 0, withActorId: "" };
  const stream = machine.events(request, metadata);
  stream.on("error", () => undefined);
  const messages = (stream as AsyncIterable<Event>)[Symbol.asyncIterator]();
  /** Reads on to a message of a node. */
  const from = async (node: string, isMeant: (message: Event) => boolean) => {
    for (;;) {
      const got: IteratorResult<Event, undefined> = await messages.next();
      if (got.done === true) throw new Error("the stream has ended");
      const message = got.value;
      if (message.metadata?.hostname === node && isMeant(message)) return message;
    }
  };
  const hellos = new Set<string>();
  while (hellos.size < 2)
    hellos.add(((await messages.next()).value as Event).metadata?.hostname ?? "");
  const second = running[addresses.indexOf(other)]!;
  second.kill("SIGKILL");
  const lost = await from(other, (message) => message.metadata?.error !== "");
  expect(lost.metadata?.status?.code).toBe(14);
  const restarted = reply((done) => machine.serviceRestart({ id: "controller-runtime" }, done));
  const event = await from(own, ({ data }) => data?.typeUrl.endsWith("ServiceStateEvent") === true);
  expect(event.metadata?.error).toBe("");
  await restarted;
  stream.cancel();
  machine.close();
});
