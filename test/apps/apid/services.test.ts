import { status } from "@grpc/grpc-js";
import { at, seconds, after } from "#runtime";
import { expect, test } from "vitest";
import type {
  ServiceListResponse,
  ServiceRestartResponse,
  ServiceStartResponse,
  ServiceStopResponse,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import { bootNode, type BootedNode } from "./booted-node.ts";
import { reply } from "./running-node.ts";

const list = async ({ machine }: BootedNode) => {
  const { messages } = await reply<ServiceListResponse>((done) => machine.serviceList({}, done));
  return messages[0]?.services ?? [];
};
const start = ({ machine }: BootedNode, id: string) =>
  reply<ServiceStartResponse>((done) => machine.serviceStart({ id }, done));
const stop = ({ machine }: BootedNode, id: string) =>
  reply<ServiceStopResponse>((done) => machine.serviceStop({ id }, done));
const restart = ({ machine }: BootedNode, id: string) =>
  reply<ServiceRestartResponse>((done) => machine.serviceRestart({ id }, done));

test("each service has events and health, without which clients fail", async () => {
  await using booted = await bootNode();
  const services = await list(booted);
  expect(services.map(({ id }) => id)).toEqual([
    "apid",
    "controller-runtime",
    "machined",
    "trustd",
  ]);
  for (const { state, events, health } of services) {
    expect(state).toBe("Waiting");
    expect(events?.events).toMatchObject([{ state: "Waiting", ts: new Date(at("2030-01-01")) }]);
    expect(health).toMatchObject({ unknown: true, healthy: false });
  }
});

test("what happens to a service is told oldest first", async () => {
  await using booted = await bootNode();
  const { boot, clock } = booted;
  const later = after(clock.now(), seconds(7));
  clock.advanceTo(later);
  boot.services.set("apid", "Running", "Listening");
  const [apid] = await list(booted);
  expect(apid).toMatchObject({
    state: "Running",
    events: { events: [{ state: "Waiting" }, { state: "Running", msg: "Listening" }] },
    health: { unknown: false, healthy: true, lastChange: new Date(later) },
  });
});

test("the history of a service is bounded", async () => {
  await using booted = await bootNode();
  for (let i = 0; i < 500; i += 1) booted.boot.services.set("apid", "Waiting", `${i}`);
  const [apid] = await list(booted);
  expect(apid?.events?.events).toHaveLength(64);
  expect(apid?.events?.events.at(-1)?.msg).toBe("499");
});

test("a service that is not there is named, with those that are", async () => {
  await using booted = await bootNode();
  for (const call of [start, stop, restart])
    await expect(call(booted, "kubelet")).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details:
        'service "kubelet" is not defined: there is apid, controller-runtime, machined, trustd',
    });
});

test("no service can be stopped, and each refusal says why", async () => {
  await using booted = await bootNode();
  for (const [id, reason] of [
    ["apid", "nobody could reach the node"],
    ["controller-runtime", "nothing would be renewed"],
    ["machined", "a shutdown ends"],
    ["trustd", "no node could join"],
  ] as const)
    await expect(stop(booted, id)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining(reason) as string,
    });
  await expect(restart(booted, "machined")).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: expect.stringContaining("a reboot restarts") as string,
  });
  await expect(start(booted, "trustd")).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
  });
});

test("what runs needs no start, and is restarted by what it said", async () => {
  await using booted = await bootNode();
  const { services } = booted.boot;
  services.onRestart("apid", async () => "done");
  await expect(restart(booted, "apid")).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: 'service "apid" cannot be restarted: it is Waiting',
  });
  services.set("apid", "Running", "");
  expect((await restart(booted, "apid")).messages).toMatchObject([{ resp: "done" }]);
  expect((await start(booted, "apid")).messages).toMatchObject([
    { resp: 'Service "apid" is running already' },
  ]);
});
