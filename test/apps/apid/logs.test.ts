import { Metadata, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type {
  LogsContainersResponse,
  LogsRequest,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import type { Data } from "../../../src/apps/rpc/gen/common/common.ts";
import { bootNode, type BootedNode } from "./booted-node.ts";
import { collect, reply } from "./running-node.ts";

const open = ({ machine }: BootedNode, request: Partial<LogsRequest>) =>
  machine.logs({
    ...{ namespace: "system", id: "apid", driver: 0, follow: false, tailLines: -1 },
    ...request,
  });

const read = async (booted: BootedNode, request: Partial<LogsRequest>): Promise<string> => {
  const pieces: Data[] = await collect(open(booted, request) as AsyncIterable<Data>);
  return pieces.map(({ bytes }) => bytes.toString()).join("");
};

test("the ids are those of the services", async () => {
  await using booted = await bootNode();
  const { messages } = await reply<LogsContainersResponse>((done) =>
    booted.machine.logsContainers({}, done),
  );
  expect(messages[0]?.ids).toEqual(["apid", "controller-runtime", "machined", "trustd"]);
});

test("a line belongs to its component, and to the daemon when it has none that is known", async () => {
  await using booted = await bootNode();
  const { logs } = booted.boot;
  logs.write("apid", "a");
  logs.write(undefined, "b");
  logs.write("else", "c");
  expect(await read(booted, {})).toBe("a\n");
  expect(await read(booted, { id: "machined" })).toBe("b\nc\n");
  expect(await read(booted, { id: "trustd" })).toBe("");
});

test("as many of the last lines as asked for", async () => {
  await using booted = await bootNode();
  for (const line of ["1", "2", "3"]) booted.boot.logs.write("apid", line);
  for (const [tailLines, text] of [
    [-1, "1\n2\n3\n"],
    [0, ""],
    [2, "2\n3\n"],
    [9, "1\n2\n3\n"],
  ] as const)
    expect(await read(booted, { tailLines })).toBe(text);
});

test("one who follows gets each line as it comes", async () => {
  await using booted = await bootNode();
  booted.boot.logs.write("apid", "before");
  const stream = open(booted, { follow: true, tailLines: 1 });
  stream.on("error", () => undefined);
  const lines = (stream as AsyncIterable<Data>)[Symbol.asyncIterator]();
  const next = async () => String(((await lines.next()).value as Data).bytes);
  expect(await next()).toBe("before\n");
  booted.boot.logs.write("apid", "after");
  expect(await next()).toBe("after\n");
  stream.cancel();
});

test("one who does not read costs no more than the log, and hears how much is lost", async () => {
  await using booted = await bootNode();
  const { logs } = booted.boot;
  logs.write("apid", "first");
  const stream = open(booted, { follow: true });
  stream.on("error", () => undefined);
  const lines = (stream as AsyncIterable<Data>)[Symbol.asyncIterator]();
  await lines.next();
  const line = "x".repeat(10_000);
  const count = 5000; // 50 MB, a hundred times what is kept
  for (let i = 0; i < count; i += 1) logs.write("apid", line);
  logs.write("apid", "last");
  expect(logs.logs.get("apid")?.items.length).toBeLessThan(60);
  let text = "";
  while (!text.endsWith("last\n")) text += String(((await lines.next()).value as Data).bytes);
  const [, lost = ""] = /^\.\.\. (\d+) lines are lost: /m.exec(text) ?? [];
  expect(Number(lost)).toBeGreaterThan(count - 100);
  expect(text.length).toBeLessThan(2_000_000);
  stream.cancel();
});

test("a line of any length is cut to what one can read", async () => {
  await using booted = await bootNode();
  booted.boot.logs.write("apid", "x".repeat(1_000_000));
  expect((await read(booted, {})).length).toBeLessThan(20_000);
});

test("an id that is not there is told, with those that are; containers there are none", async () => {
  await using booted = await bootNode();
  await expect(read(booted, { id: "kubelet" })).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: 'log "kubelet" was not found: there is apid, controller-runtime, machined, trustd',
  });
  await expect(read(booted, { namespace: "k8s.io", driver: 1 })).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: expect.stringContaining("this node runs no containers") as string,
  });
});

test("each message names its node where the request has named several", async () => {
  await using booted = await bootNode();
  booted.boot.logs.write("apid", "a");
  const metadata = new Metadata();
  metadata.set("nodes", "127.0.0.1");
  const request = { namespace: "system", id: "apid", driver: 0, follow: false, tailLines: -1 };
  const stream = booted.machine.logs(request as LogsRequest, metadata);
  const messages: Data[] = await collect(stream as AsyncIterable<Data>);
  expect(messages).toMatchObject([{ metadata: { hostname: "127.0.0.1" } }]);
});
