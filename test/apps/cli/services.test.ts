/** Services, logs and events of two nodes, as the command line shows them. */
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeTalosconfig } from "#config";
import {
  after,
  instantOf,
  manualClock,
  minutes,
  seconds,
  systemClock,
  systemRandom,
} from "#runtime";
import { newBoot, type Boot } from "../../../src/apps/node/boot.ts";
import { announceEnd } from "../../../src/apps/node/ending.ts";
import { MachineStatusEvent_MachineStage as Stage } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { issueClient, issueRoot } from "../apid/running-node.ts";
import { bench, type Bench, type World } from "./harness.ts";
import { startNode } from "./listening-node.ts";

const [ONE, TWO] = ["127.0.0.1", "127.0.0.2"] as const;
const BOTH = ["-n", `${ONE},${TWO}`];
const now = instantOf(Math.trunc(systemClock.now() / 1000) * 1000);

type Node = Awaited<ReturnType<typeof startNode>>;
let here: Bench;
let root: Awaited<ReturnType<typeof issueRoot>>;
let clock: ReturnType<typeof manualClock>;
let boots: Boot[];
let nodes: Node[];

const portsOf = (boot: Boot) => ({
  services: boot.services,
  logs: boot.logs.logs,
  events: boot.events,
  endRun(ending: Parameters<typeof boot.endings.end>[0]) {
    const actorId = boot.endings.end(ending);
    void setImmediate().then(() => clock.advanceTo(clock.now())); // once it is answered
    return actorId;
  },
});

beforeEach(async () => {
  here = await bench(after(now, seconds(75)));
  root = await issueRoot();
  clock = manualClock(now);
  boots = [ONE, TWO].map(() => newBoot({ clock, random: systemRandom }));
  nodes = await Promise.all(
    [ONE, TWO].map((address, i) =>
      startNode(root, { address, id: "a", received: [], more: portsOf(boot(i)) }),
    ),
  );
  await identify("os:admin");
});
afterEach(async () => {
  for (const { apid, store } of nodes) {
    await apid.close();
    await store.close();
  }
  await here[Symbol.asyncDispose]();
});

async function identify(role: string): Promise<void> {
  const endpoints = [ONE, TWO].map((address, i) => `${address}:${nodes[i]?.apid.port ?? 0}`);
  const identity = await issueClient(root, [role]);
  const context = { endpoints, nodes: [ONE], ca: root.crt, ...identity };
  await here.write("tc", writeTalosconfig({ context: "test", contexts: { test: context } }));
}

const runWith = (world: World, ...argv: string[]) =>
  here.runWith({ env: { TALOSCONFIG: "tc" }, ...world }, ...argv);
const run = (...argv: string[]) => runWith({}, ...argv);
function boot(index = 0): Boot {
  const found = boots[index];
  if (found === undefined) throw new TypeError(`there is no boot ${index}`);
  return found;
}

/** Interrupts once the standard output has so many lines. */
function untilLines(count: number): World {
  const abort = new AbortController();
  let seen = 0;
  return {
    signal: abort.signal,
    onStdout(text) {
      seen += text.split("\n").length - 1;
      if (seen >= count) abort.abort();
    },
  };
}

describe("service", () => {
  test("a table of all, in the order of the nodes; a node that is down is named", async () => {
    clock.advanceTo(after(now, seconds(70)));
    boot().services.set("apid", "Running", "Listening on port 1");
    await nodes[1]?.apid.close();
    const { status, stdout, stderr } = await run("services", ...BOTH);
    expect(status).toBe(1);
    expect(stdout.split("\n").slice(0, 3)).toEqual([
      "NODE        SERVICE              STATE     HEALTH   LAST CHANGE   LAST EVENT",
      "127.0.0.1   apid                 Running   OK       5s ago        Listening on port 1",
      "127.0.0.1   controller-runtime   Waiting   ?        1m15s ago     Waiting for the node to start",
    ]);
    expect(stderr).toMatch(/^error: 127\.0\.0\.2: /);
  });

  test("one service, with what has become of it, newest first", async () => {
    clock.advanceTo(after(now, seconds(70)));
    boot().services.set("apid", "Running", "Listening on port 1");
    const { status, stdout } = await run("service", "apid");
    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        "NODE     127.0.0.1",
        "ID       apid",
        "STATE    Running",
        "HEALTH   OK",
        "EVENTS   [Running]: Listening on port 1 (5s ago)",
        "         [Waiting]: Waiting for the node to start (1m15s ago)",
        "",
      ].join("\n"),
    );
    expect((await run("service", "apid", "status")).stdout).toBe(stdout);
    const unknown = await run("service", "kubelet");
    expect(unknown).toMatchObject({ status: 1, stdout: "" });
    expect(unknown.stderr).toContain(
      'service "kubelet" is not on the node: there is apid, controller-runtime, machined, trustd',
    );
  });

  test("what is done with one is answered by each node", async () => {
    for (const { services } of boots) {
      services.onRestart("apid", async () => 'Service "apid" restarted');
      services.set("apid", "Running", "");
    }
    expect(await run("service", "apid", "restart", ...BOTH)).toMatchObject({
      status: 0,
      stdout:
        'NODE        RESPONSE\n127.0.0.1   Service "apid" restarted\n127.0.0.2   Service "apid" restarted\n',
    });
    expect((await run("service", "apid", "start")).stdout).toContain("is running already");
    const refused = await run("service", "apid", "stop");
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toContain(
      'code = FailedPrecondition desc = service "apid" cannot be stopped: nobody could reach',
    );
    expect(await run("service", "apid", "kill")).toMatchObject({ status: 2 });
  });

  test("a reader sees services, and restarts none", async () => {
    await identify("os:reader");
    expect(await run("service")).toMatchObject({ status: 0 });
    const { status, stderr } = await run("service", "apid", "restart");
    expect(status).toBe(1);
    expect(stderr).toContain("code = PermissionDenied desc = not authorized");
  });
});

describe("logs", () => {
  test("each line with its node; as many of the last as asked for", async () => {
    for (const [i, { logs }] of boots.entries())
      for (const line of ["a", "ü\tb"]) logs.write("apid", `${line}${i}`);
    expect(await run("logs", "apid")).toMatchObject({
      status: 0,
      stdout: "127.0.0.1: a0\n127.0.0.1: ü\tb0\n",
    });
    const both = await run("logs", "apid", "--tail=1", ...BOTH);
    expect(both.stdout.split("\n").toSorted()).toEqual(
      ["", "127.0.0.1: ü\tb0", "127.0.0.2: ü\tb1"].toSorted(),
    );
  });

  test("--follow goes on until it is interrupted; nothing moves the cursor", async () => {
    const world = untilLines(2);
    const { logs } = boot();
    logs.write("apid", "old");
    const onStdout = (text: string) => {
      if (text.includes("old")) logs.write("apid", "\u001b[2Jnew");
      world.onStdout?.(text);
    };
    expect(await runWith({ ...world, onStdout }, "logs", "-f", "apid")).toMatchObject({
      status: 0,
      stdout: "127.0.0.1: old\n127.0.0.1: \\u001b[2Jnew\n",
    });
  });

  test("a log that is not there, and those of containers, are refused in one line", async () => {
    for (const [argv, problem] of [
      [["kubelet"], 'log "kubelet" was not found: there is apid, controller-runtime'],
      [["-k", "kube-system/x"], 'namespace "k8s.io" has no logs: this node runs no containers'],
    ] as const) {
      const { status, stdout, stderr } = await run("logs", ...argv);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/^error: rpc error: code = NotFound desc = [^\n]*\n$/);
      expect(stderr).toContain(problem);
    }
    expect(await run("logs", "apid", "--tail", "x")).toMatchObject({ status: 2 });
  });
});

describe("events", () => {
  test("two lines an event, as talosctl has them", async () => {
    boot().events.publish("TaskEvent", { task: "wash", action: 1 }, "someone");
    const { status, stdout } = await runWith(untilLines(5), "events", "--tail", "2");
    expect(status).toBe(0);
    const [header, status1, status2, event, text] = stdout.split("\n");
    expect(header).toBe("NODE   ID   EVENT   ACTOR   SOURCE   MESSAGE");
    expect(status1).toMatch(/^127\.0\.0\.1 +[0-9a-v]{20} +talos\/runtime\/machine\.MachineStatus/);
    expect(status2).toMatch(
      /^ +BOOTING +ready: false, unmet conditions: \[time network services\]$/,
    );
    expect(event).toMatch(/^127\.0\.0\.1 +[0-9a-v]{20} +talos\/runtime\/machine\.TaskEvent$/);
    expect(text).toMatch(/^someone +wash +STOP$/);
  });

  test("one object a line with -o json, of all nodes", async () => {
    for (const { events } of boots) {
      events.publish("ConfigLoadErrorEvent", { error: "bad" });
      events.publish("RestartEvent", { cmd: 7n }, "me");
      events.ring.append({
        ...{ id: "00000000000000000000", actorId: "me" },
        ...{ typeUrl: "x/machine.NewerEvent", value: Buffer.alloc(3) },
      });
    }
    const flags = ["--tail=-1", "--actor-id", "me", "-o", "json", ...BOTH];
    const { status, stdout } = await runWith(untilLines(4), "events", ...flags);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    const parsed = lines.map((line) => JSON.parse(line) as { node: string });
    const own = parsed.filter(({ node }) => node === ONE);
    expect(own).toMatchObject([
      { event: "talos/runtime/machine.RestartEvent", actor: "me", message: { cmd: "7" } },
      { event: "x/machine.NewerEvent", message: {} },
    ]);
  });

  test("there is one way to look back at a time, and ids are ids", async () => {
    const two = await run("events", "--tail", "1", "--duration", "1h");
    expect(two).toMatchObject({ status: 2, stdout: "" });
    expect(two.stderr).toContain("only one of --tail, --duration and --since can be given");
    const none = await run("events", "--since", "yesterday");
    expect(none.status).toBe(1);
    expect(none.stderr).toContain('tail_id "yesterday" is no id of an event');
    clock.advanceTo(after(now, minutes(5)));
    boot().events.publish("ConfigLoadErrorEvent", { error: "bad" });
    const { stdout } = await runWith(untilLines(1), "events", "--duration=1m", "-o=json");
    expect(JSON.parse(stdout)).toMatchObject({ message: { error: "bad" } });
  });
});

describe("reboot and shutdown", () => {
  const asked = (index = 0) => boot(index).endings.asked;
  const tellReady = ({ events }: Boot) => {
    const status = { ready: true, unmetConditions: [] };
    events.publish("MachineStatusEvent", { stage: Stage.RUNNING, status });
  };
  /** Lets pauses between two tries pass, one after the other. */
  async function letPass(running: Promise<unknown>): Promise<void> {
    const done = new AbortController();
    void running.finally(() => done.abort());
    while (!done.signal.aborted) {
      const soon = after(here.clock.now(), seconds(1));
      if ((here.clock.nextAlarm() ?? Infinity) <= soon) here.clock.advanceTo(soon);
      await setImmediate();
    }
  }

  test("--wait=false asks and says nothing; a second one is refused", async () => {
    const quiet = { status: 0, stdout: "", stderr: "" };
    expect(await run("reboot", "--wait=false", "-m", "force", ...BOTH)).toEqual(quiet);
    for (const index of [0, 1]) expect((await asked(index)).actorId).toMatch(/^[0-9a-f-]{36}$/);
    const { status, stderr } = await run("shutdown", "--wait=false", "--force");
    expect(status).toBe(1);
    expect(stderr).toContain("a reboot of this node is under way");
  });

  test("a reboot is done when the node is ready again, and not when it says so of before", async () => {
    tellReady(boot());
    await identify("os:operator"); // who may not read the boot id
    const running = run("reboot");
    const ending = await asked();
    const [first] = nodes as [Node];
    await announceEnd(ending, boot(), clock);
    await first.apid.close();
    const next = newBoot({ clock, random: systemRandom });
    tellReady(next);
    const port = first.apid.port;
    nodes.push(
      await startNode(root, { address: ONE, id: "a", received: [], port, more: portsOf(next) }),
    );
    await letPass(running);
    const { status, stdout, stderr } = await running;
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toMatch(
      /^127\.0\.0\.1: REBOOTING, .*\n(127.*\n)*127.*: RUNNING, ready: true.*\n$/,
    );
  });

  test("who waits is told when the time is up, or when nobody waits any longer", async () => {
    const abort = new AbortController();
    const late = run("reboot", "--timeout", "90s");
    await asked();
    here.clock.advanceTo(after(here.clock.now(), seconds(90)));
    expect(await late).toMatchObject({
      status: 1,
      stderr: "error: the node is not ready again after 1m30s\n",
    });
    const interrupted = runWith({ signal: abort.signal }, "shutdown", "-n", TWO);
    await asked(1);
    abort.abort();
    expect(await interrupted).toMatchObject({
      status: 1,
      stderr:
        "error: the services of the node have not stopped, and nobody waits for it any longer\n",
    });
  });

  test("a shutdown is done when the services have stopped", async () => {
    const running = run("shutdown");
    const ending = await asked();
    expect(ending.name).toBe("shutdown");
    await announceEnd(ending, boot(), clock);
    expect(await running).toMatchObject({ status: 0, stdout: "" });
  });

  test("a shutdown is done, too, when the last words are lost and nobody answers", async () => {
    const running = run("shutdown", "-e", `${ONE}:${nodes[0]?.apid.port ?? 0}`);
    await asked();
    await nodes[0]?.apid.close();
    await letPass(running);
    expect(await running).toMatchObject({ status: 0, stdout: "" });
  });

  test("a reader ends nothing", async () => {
    await identify("os:reader");
    for (const verb of ["reboot", "shutdown"]) {
      const { status, stderr } = await run(verb);
      expect(status).toBe(1);
      expect(stderr).toContain("code = PermissionDenied desc = not authorized");
    }
  });
});
