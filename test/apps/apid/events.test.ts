import { setImmediate } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { after, minutes, seconds } from "#runtime";
import { expect, test } from "vitest";
import type { Event, EventsRequest } from "../../../src/apps/rpc/gen/machine/machine.ts";
import {
  eventMessages,
  nameOfTypeUrl,
  type EventMessage,
} from "../../../src/apps/rpc/event-messages.ts";
import { bootNode, type BootedNode } from "./booted-node.ts";
import { collect } from "./running-node.ts";

/** The events of a request, one after the other; the hello is read already. */
async function open({ machine }: BootedNode, request: Partial<EventsRequest> = {}) {
  const stream = machine.events({
    ...{ tailEvents: 0, tailId: "", tailSeconds: 0, withActorId: "" },
    ...request,
  });
  stream.on("error", () => undefined);
  const events = (stream as AsyncIterable<Event>)[Symbol.asyncIterator]();
  const next = async () => (await events.next()).value as Event;
  const hello = await next();
  return { stream, hello, next };
}

const messageOf = ({ data }: Event) => {
  const name = nameOfTypeUrl(data?.typeUrl ?? "");
  if (name === undefined || data === undefined) throw new Error("no message that is known");
  return { name, message: eventMessages[name].decode(data.value) };
};

const task = (booted: BootedNode, name: string, actorId = "") =>
  booted.boot.events.publish("TaskEvent", { task: name, action: 0 }, actorId);
const taskOf = (event: Event) => (messageOf(event).message as EventMessage<"TaskEvent">).task;

test("first comes an empty message, then what happens from then on", async () => {
  await using booted = await bootNode();
  const { hello, next, stream } = await open(booted);
  expect(hello).toMatchObject({ id: "", actorId: "", data: { typeUrl: "" } });
  expect(hello.data?.value).toHaveLength(0);
  task(booted, "now", "someone");
  const event = await next();
  expect(event).toMatchObject({
    actorId: "someone",
    id: expect.stringMatching(/^[0-9a-v]{20}$/) as string,
    data: { typeUrl: "talos/runtime/machine.TaskEvent" },
  });
  expect(taskOf(event)).toBe("now");
  stream.cancel();
});

test("one may look back by number, by id and by time", async () => {
  await using booted = await bootNode();
  const { boot, clock } = booted;
  task(booted, "early");
  clock.advanceTo(after(clock.now(), minutes(1)));
  task(booted, "late");
  clock.advanceTo(after(clock.now(), minutes(1)));
  task(booted, "last");
  const [late, last] = boot.events.ring.items.slice(-2);
  for (const [request, expected] of [
    [{ tailEvents: 1 }, "last"],
    [{ tailEvents: 2 }, "late"],
    [{ tailId: late?.id ?? "" }, "last"],
    [{ tailSeconds: 90 }, "late"],
    [{ tailSeconds: 30 }, "last"],
    // One that was never there tells the time as well as any other.
    [{ tailId: `${late?.id.slice(0, 7) ?? ""}0000000000000` }, "late"],
  ] as const) {
    const { next, stream } = await open(booted, request);
    expect([request, taskOf(await next())]).toEqual([request, expected]);
    stream.cancel();
  }
  const all = await open(booted, { tailEvents: -1 });
  expect(messageOf(await all.next())).toMatchObject({
    name: "SequenceEvent",
    message: { sequence: "boot", action: 1 },
  });
  all.stream.cancel();
  const none = await open(booted, { tailId: last?.id ?? "" });
  task(booted, "new");
  expect(taskOf(await none.next())).toBe("new");
  none.stream.cancel();
});

test("a thousand are kept, and the others of an actor are left out", async () => {
  await using booted = await bootNode();
  for (let i = 0; i < 1500; i += 1) task(booted, `${i}`, i % 2 === 0 ? "even" : "odd");
  expect(booted.boot.events.ring.items).toHaveLength(1000);
  const { next, stream } = await open(booted, { tailEvents: -1, withActorId: "odd" });
  expect(taskOf(await next())).toBe("501");
  expect(taskOf(await next())).toBe("503");
  stream.cancel();
});

test.each([
  ["no id", { tailId: "nonsense" }, 'tail_id "nonsense" is no id of an event'],
  ["two ways to look back", { tailEvents: 1, tailSeconds: 1 }, "only one of tail_events"],
])("%s is refused", async (_, request, problem) => {
  await using booted = await bootNode();
  const stream = booted.machine.events({
    ...{ tailEvents: 0, tailId: "", tailSeconds: 0, withActorId: "" },
    ...request,
  });
  await expect(collect(stream as AsyncIterable<Event>)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining(problem) as string,
  });
});

test("one who does not read ends with an error, and costs no more than what is kept", async () => {
  await using booted = await bootNode();
  const { next, stream } = await open(booted);
  const large = "x".repeat(10_000);
  for (let i = 0; i < 5000; i += 1) task(booted, large);
  const ended = (async () => {
    for (;;) expect(await next()).toBeDefined(); // an end without an error would be undefined
  })();
  await expect(ended).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringMatching(/^\d+ events came faster/) as string,
  });
  stream.cancel();
});

test("each change of a service is an event, and what is missing for the node to be ready", async () => {
  await using booted = await bootNode();
  const { boot } = booted;
  const { next, stream } = await open(booted);
  boot.services.set("apid", "Running", "Listening");
  expect(messageOf(await next())).toMatchObject({
    name: "ServiceStateEvent",
    message: { service: "apid", action: 3, message: "Listening", health: { healthy: true } },
  });
  const services = "controller-runtime is Waiting, machined is Waiting, trustd is Waiting";
  expect(messageOf(await next())).toMatchObject({
    name: "MachineStatusEvent",
    message: {
      stage: 1,
      status: {
        ready: false,
        unmetConditions: [
          { name: "time" },
          { name: "network" },
          { name: "services", reason: services },
        ],
      },
    },
  });
  boot.machine.enter("REBOOTING", "someone");
  const last = await next();
  expect(last.actorId).toBe("someone");
  expect(messageOf(last)).toMatchObject({ message: { stage: 5, status: { ready: false } } });
  stream.cancel();
});

test("ids come in the order of what happens", async () => {
  await using booted = await bootNode();
  const { clock, boot } = booted;
  for (let i = 0; i < 10; i += 1) {
    task(booted, `${i}`);
    clock.advanceTo(after(clock.now(), seconds(i % 3)));
  }
  const ids = boot.events.ring.items.map(({ id }) => id);
  expect(ids.toSorted()).toEqual(ids);
});

test("many streams share a connection, and nothing piles up on it", async () => {
  await using booted = await bootNode();
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on("warning", warn);
  const open40 = await Promise.all(Array.from({ length: 40 }, () => open(booted)));
  task(booted, "now");
  for (const { next } of open40) expect(taskOf(await next())).toBe("now");
  for (const { stream } of open40) stream.cancel();
  await setImmediate(); // a warning comes a turn later
  process.off("warning", warn);
  expect(warnings).toEqual([]);
});
