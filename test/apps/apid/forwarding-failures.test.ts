/** Nodes that cannot be asked: each is an error for itself only, and the others answer. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { Metadata, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { seconds, systemClock, type Clock } from "#runtime";
import { dialOptions } from "../../../src/apps/apid/forwarding/dial.ts";
import { mergeStreams } from "../../../src/apps/apid/forwarding/merge.ts";
import { CONNECT_MAX } from "../../../src/apps/apid/forwarding/peer.ts";
import {
  MachineServiceClient,
  type VersionResponse,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import { clientCredentials, issueClient, issueRoot, Note, reply } from "./running-node.ts";
import { issueImpersonator, startNode, startThree, type Three } from "./three-nodes.ts";

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

test("a watch ends with the node that it is on, and a caller that leaves ends it there", async () => {
  await using three = await startThree();
  const client = await three.client();
  const watching = (node: string) => client.watch(notes, { node })[Symbol.asyncIterator]();
  const [left, lost] = [watching("127.0.0.3"), watching("127.0.0.4")];
  for (const events of [left, lost]) {
    await events.next();
    await events.next();
  }
  await left.return?.();
  const failing = expect(lost.next()).rejects.toThrow("rpc error: code = Unavailable");
  await three.nodes[2].close();
  await failing;
  expect((await client.version({ node: "127.0.0.3" })).sha).toBe("127.0.0.3");
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
