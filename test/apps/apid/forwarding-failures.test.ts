/** Nodes that cannot be asked: each is an error for itself only, and the others answer. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Metadata, status } from "@grpc/grpc-js";
import { Observable } from "rxjs";
import { expect, test } from "vitest";
import { seconds, systemClock, systemRandom, type Clock } from "#runtime";
import type { CoreStore } from "#runtime/store";
import { dialOptions } from "../../../src/apps/apid/forwarding/dial.ts";
import { ANSWER_MAX } from "../../../src/apps/apid/forwarding/in-time.ts";
import { mergeStreams } from "../../../src/apps/apid/forwarding/merge.ts";
import { CONNECT_MAX } from "../../../src/apps/apid/forwarding/peer.ts";
import { openPeers, type Method } from "../../../src/apps/apid/forwarding/peers.ts";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { openEventLog } from "../../../src/apps/node/event-log.ts";
import {
  ApplyConfigurationRequest_Mode as Mode,
  MachineServiceClient,
  MachineServiceService,
  type ApplyConfigurationResponse,
  type Event,
  type VersionResponse,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import {
  clientCredentials,
  issueClient,
  issueRoot,
  issueServer,
  Note,
  recordingLogger,
  reply,
} from "./running-node.ts";
import {
  issueImpersonator,
  portsOf,
  startNode,
  startThree,
  type ClusterNode,
  type Three,
} from "./three-nodes.ts";

const notes = { namespace: "test", type: Note.type };

/** Which of these nodes answer, and what is wrong with those that do not. */
async function asked(
  three: Pick<Three, "root" | "port">,
  ...nodes: string[]
): Promise<Record<string, string | undefined>> {
  const identity = await issueClient(three.root);
  const machine = new MachineServiceClient(
    `ipv4:127.0.0.2:${three.port}`,
    ...clientCredentials(three.root, identity),
  );
  const metadata = new Metadata();
  for (const node of nodes) metadata.add("nodes", node);
  const { messages } = await reply<VersionResponse>((done) => machine.version({}, metadata, done));
  machine.close();
  return Object.fromEntries(
    messages.map((message) => [message.metadata?.hostname ?? "", message.metadata?.error]),
  );
}

test("a node that was stopped is named, and asked again when it is back", async () => {
  await using three = await startThree();
  const { root, port, nodes } = three;
  const client = await three.client();
  const node = "127.0.0.4";
  expect((await client.version({ node })).sha).toBe(node);
  await nodes[2].close();
  const answers = await asked(three, "127.0.0.2", "127.0.0.3", node);
  expect(answers).toMatchObject({ "127.0.0.2": "", "127.0.0.3": "" });
  const reason = `node ${node} cannot be reached: connect ECONNREFUSED ${node}:${port}`;
  expect(answers[node]).toContain(reason);
  await expect(client.version({ node })).rejects.toThrow(
    `rpc error: code = Unavailable desc = ${reason}`,
  );
  await using again = await startNode(root, { address: node, port }).then((back) => ({
    ...back,
    [Symbol.asyncDispose]: back.close,
  }));
  expect((await client.version({ node: again.address })).sha).toBe(node);
});

/** Counts the watches of a store that are open, and tells when one ends. */
function followWatches(core: CoreStore) {
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  const watchKind = core.watchKind.bind(core);
  let open = 0;
  core.watchKind = (...how: Parameters<typeof watchKind>) =>
    new Observable((subscriber) => {
      open += 1;
      const inner = watchKind(...how).subscribe(subscriber);
      return () => {
        inner.unsubscribe();
        open -= 1;
        resolve(undefined);
      };
    });
  return { open: () => open, ended };
}

test("a watch ends with the node that it is on, and a caller that leaves ends it there", async () => {
  await using three = await startThree();
  const there = followWatches(three.nodes[1].store.core);
  const client = await three.client();
  const watching = (node: string) => client.watch(notes, { node })[Symbol.asyncIterator]();
  const [left, lost] = [watching("127.0.0.3"), watching("127.0.0.4")];
  for (const events of [left, lost]) {
    await events.next();
    await events.next();
  }
  expect(there.open()).toBe(1);
  await left.return?.();
  await there.ended;
  expect(there.open()).toBe(0);
  const failing = expect(lost.next()).rejects.toThrow("rpc error: code = Unavailable");
  await three.nodes[2].close();
  await failing;
  expect((await client.version({ node: "127.0.0.3" })).sha).toBe("127.0.0.3");
});

/** Events of a node, and how reading them begins and ends. */
function followedEvents() {
  const events = openEventLog({ clock: systemClock, random: systemRandom });
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  const read = events.ring.read.bind(events.ring);
  events.ring.read = (span) => {
    span.signal?.addEventListener("abort", () => resolve(undefined));
    return read(span);
  };
  return { events, ended };
}

test("events of several nodes name them, outlast one that goes, and end everywhere when their caller leaves", async () => {
  const root = await issueRoot();
  const followed = [followedEvents(), followedEvents(), followedEvents()];
  const names = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
  const nodes: ClusterNode[] = [];
  for (const [i, { events }] of followed.entries()) {
    const ports = { ...portsOf(names[i]!), events };
    nodes.push(
      await startNode(root, { address: names[i]!, port: nodes[0]?.apid.port ?? 0, ports }),
    );
  }
  const machine = new MachineServiceClient(
    `ipv4:127.0.0.2:${nodes[0]!.apid.port}`,
    ...clientCredentials(root, await issueClient(root)),
  );
  const metadata = new Metadata();
  for (const name of names) metadata.add("nodes", name);
  const request = { tailEvents: 0, tailId: "", tailSeconds: 0, withActorId: "" };
  const stream = machine.events(request, metadata);
  stream.on("error", () => undefined);
  const messages = (stream as AsyncIterable<Event>)[Symbol.asyncIterator]();
  const next = async () => {
    const { metadata: from, data } = ((await messages.next()) as { value: Event }).value;
    return [from?.hostname, from?.status?.code, data?.typeUrl.split(".").at(-1)];
  };
  const hellos = [await next(), await next(), await next()];
  expect(hellos.sort()).toEqual(names.map((name) => [name, undefined, ""]));
  for (const [i, { events }] of followed.entries()) {
    events.publish("TaskEvent", { task: `${i}`, action: 0 });
    expect(await next()).toEqual([names[i], undefined, "TaskEvent"]);
  }
  await nodes[2]!.close();
  expect(await next()).toEqual([names[2], status.UNAVAILABLE, undefined]);
  followed[1]!.events.publish("TaskEvent", { task: "after", action: 0 });
  expect(await next()).toEqual([names[1], undefined, "TaskEvent"]);
  stream.cancel();
  await Promise.all([followed[0]!.ended, followed[1]!.ended]);
  machine.close();
  for (const node of nodes.slice(0, 2)) await node.close();
});

test("a node of another cluster is not believed, and does not believe", async () => {
  await using three = await startThree();
  const { port } = three;
  const stranger = await startNode(await issueRoot(), { address: "127.0.0.6", port });
  const answers = await asked(three, "127.0.0.3", "127.0.0.6");
  expect(answers["127.0.0.3"]).toBe("");
  expect(answers["127.0.0.6"]).toMatch(/^node 127\.0\.0\.6 cannot be reached: .*certificate/);
  await stranger.close();
});

test("a certificate has to be for the address that was called", async () => {
  await using three = await startThree();
  const liar = await startNode(three.root, { address: "127.0.0.6", port: three.port });
  liar.apid.rotate(three.nodes[2].material);
  const answers = await asked(three, "127.0.0.6");
  expect(answers["127.0.0.6"]).toContain("does not match certificate's altnames");
  await liar.close();
});

/** A clock whose alarms of this length ring when they are told to. */
function patientClock(length: number) {
  const waiting = new Set<() => void>();
  let set: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now(),
    alarm(when, ring) {
      if (Math.abs(when - systemClock.now() - length) > seconds(1))
        return systemClock.alarm(when, ring);
      waiting.add(ring);
      set?.();
      return () => waiting.delete(ring);
    },
    onStep: (listener) => systemClock.onStep(listener),
  };
  const isSet = () =>
    new Promise<void>((resolve) => (waiting.size > 0 ? resolve() : (set = resolve)));
  return { clock, isSet, ring: () => waiting.forEach((ring) => ring()) };
}

test("a node that takes a connection and says nothing is given up; the others are not", async () => {
  const { clock, isSet, ring } = patientClock(CONNECT_MAX);
  await using three = await startThree({ clock });
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket)).listen(three.port, "127.0.0.6");
  await once(mute, "listening");
  const answering = asked(three, "127.0.0.3", "127.0.0.6");
  if (sockets.length === 0) await once(mute, "connection");
  await isSet();
  const closed = once(sockets[0]!, "close");
  sockets[0]!.resume();
  expect((await (await three.client()).version({ node: "127.0.0.3" })).sha).toBe("127.0.0.3");
  ring();
  expect(await answering).toEqual({
    "127.0.0.3": "",
    "127.0.0.6": "node 127.0.0.6 cannot be reached: no connection within 10 s",
  });
  await closed; // nothing is left of it
  mute.close();
});

test("a node that takes a call and does not answer is given up; the others are not", async () => {
  const { clock, isSet, ring } = patientClock(ANSWER_MAX);
  await using three = await startThree({ clock });
  const { root, port } = three;
  const { promise: taken, resolve: take } = Promise.withResolvers<undefined>();
  const never = async () => {
    take(undefined);
    return new Promise<never>(() => undefined);
  };
  const ports = {
    build: { sha: "", built: "" },
    applyConfiguration: never,
    issueClientConfiguration: never,
  };
  const mute = await startNode(root, { address: "127.0.0.6", port, ports });
  const machine = new MachineServiceClient(
    `ipv4:127.0.0.2:${port}`,
    ...clientCredentials(root, await issueClient(root)),
  );
  const metadata = new Metadata();
  for (const node of ["127.0.0.2", "127.0.0.6"]) metadata.add("nodes", node);
  const request = {
    data: Buffer.from("x"),
    mode: Mode.AUTO,
    dryRun: false,
    tryModeTimeout: undefined,
  };
  const answer = reply<ApplyConfigurationResponse>((done) =>
    machine.applyConfiguration(request, metadata, done),
  );
  await Promise.all([isSet(), taken]);
  ring();
  const { messages } = await answer;
  expect(messages.map(({ metadata: said }) => said?.error)).toEqual([
    "",
    "node 127.0.0.6 did not answer within 60 s",
  ]);
  machine.close();
  await mute.close();
});

test("a connection on which nothing comes any more is noticed", async () => {
  const root = await issueRoot();
  const { key, crt: cert } = await issueServer(root, { ipAddresses: ["127.0.0.6"] });
  // Settings without a word afterwards: the head of a frame of type 4, and nothing in it.
  const mute = createTlsServer({ key: opensslKey(key), cert, ALPNProtocols: ["h2"] }, (socket) => {
    socket.resume();
    socket.on("error", () => undefined);
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  }).listen(0, "127.0.0.6");
  await once(mute, "listening");
  const peers = openPeers({
    ...{ clock: systemClock, log: recordingLogger().log, address: "127.0.0.2" },
    port: () => (mute.address() as AddressInfo).port,
    messageBytesMax: 1024,
    keepalive: { every: 1, patience: 1 },
  });
  peers.identify({ key, cert, ca: [root.crt], client: await issueImpersonator(root) });
  const call = peers.unary("127.0.0.6", {
    method: MachineServiceService.version as Method,
    ...{ request: {}, headers: new Metadata(), deadline: Infinity, tellsCause: true },
    signal: new AbortController().signal,
  });
  await expect(call).rejects.toMatchObject({ code: "ERR_NODE_UNAVAILABLE" });
  peers.close();
  mute.close();
});

test("an identity that changes is used from the next call on, what is on its way goes on", async () => {
  await using three = await startThree();
  const [first, second] = three.nodes;
  const client = await three.client();
  const node = "127.0.0.3";
  const events = client.watch(notes, { node })[Symbol.asyncIterator]();
  await events.next();
  await events.next();
  first.apid.rotate({ ...first.material, client: await issueImpersonator(three.root) });
  expect((await client.version({ node })).sha).toBe(node);
  await second.store.create(Note, "after", { text: "" });
  expect((await events.next()).value).toMatchObject({ resource: { metadata: { id: "after" } } });
  await events.return?.();

  first.apid.rotate({ ...first.material, client: await issueImpersonator(await issueRoot()) });
  await expect(client.version({ node })).rejects.toThrow("node 127.0.0.3 cannot be reached");
  await second.line("client turned away");
  const { client: _, ...alone } = first.material;
  first.apid.rotate(alone);
  await expect(client.version({ node })).rejects.toThrow("no request forwarding");
  first.apid.rotate(first.material);
  expect((await client.version({ node })).sha).toBe(node);
});

test("streams of several nodes come as they come; one that fails says so once", async () => {
  interface Line {
    readonly metadata?: { hostname: string; error: string; status: unknown } | undefined;
    readonly text: string;
  }
  const sent: Line[] = [];
  const { promise: othersDone, resolve: done } = Promise.withResolvers<undefined>();
  const write = (line: unknown) => void sent.push(line as Line);
  await mergeStreams(
    [
      { hostname: "here", isLocal: true },
      { hostname: "down", isLocal: false },
      { hostname: "there", isLocal: false },
    ],
    {
      signal: new AbortController().signal,
      send: write,
      deliver: async (line) => write(line),
    },
    {
      own: async (sink) => {
        await sink.send({ text: "first" });
        await othersDone;
        throw new Error("broken");
      },
      async *ask(node) {
        if (node === "down") throw new Error("refused");
        yield { metadata: undefined, text: "one" };
        yield { metadata: undefined, text: "two" };
        done(undefined);
      },
      empty: () => ({ metadata: undefined, text: "" }),
      statusOf: (error) => ({ code: status.UNKNOWN, details: (error as Error).message }),
    },
  );
  const told = (hostname: string) =>
    sent
      .filter(({ metadata }) => metadata?.hostname === hostname)
      .map(({ metadata, text }) => [metadata?.error, text].find(Boolean));
  expect(told("here")).toEqual(["first", "broken"]);
  expect(told("there")).toEqual(["one", "two"]);
  expect(told("down")).toEqual(["refused"]);
  expect(sent).toHaveLength(5);
});

test("connections leave from the node's own address where that leads there", () => {
  const from = (own: string, host: string) => dialOptions({ host, port: 1 }, own).localAddress;
  expect(from("127.0.0.2", "127.0.0.3")).toBe("127.0.0.2");
  expect(from("192.0.2.1", "198.51.100.1")).toBe("192.0.2.1");
  for (const [own, host] of [
    ["127.0.0.2", "192.0.2.1"],
    ["192.0.2.1", "127.0.0.1"],
    ["192.0.2.1", "fd00::1"],
    ["0.0.0.0", "192.0.2.1"],
    ["192.0.2.1", "node-2"],
  ] as const)
    expect(from(own, host)).toBeUndefined();
});

test("another node sees the address of this one", async () => {
  await using three = await startThree();
  const first = three.nodes[0];
  first.apid.rotate({ ...first.material, client: await issueImpersonator(await issueRoot()) });
  await (await three.client()).version({ node: "127.0.0.3" }).catch(() => undefined);
  expect((await three.nodes[1].line("client turned away")).peer).toMatch(/^127\.0\.0\.2:/);
});
