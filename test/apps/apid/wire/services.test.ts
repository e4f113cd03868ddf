/** `talosctl service`, `logs`, `events`, `time`, `health`, `inspect dependencies` (talosctl-wire.md §2.5, §2.6). */
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventMessages, nameOfTypeUrl } from "../../../../src/apps/rpc/event-messages.ts";
import { ClusterServiceService as Cluster } from "../../../../src/apps/rpc/gen/cluster/cluster.ts";
import { InspectServiceService as Inspect } from "../../../../src/apps/rpc/gen/inspect/inspect.ts";
import {
  ApplyConfigurationRequest_Mode as Mode,
  MachineServiceService as Machine,
  MachineStatusEvent_MachineStage as Stage,
  type Event,
  type EventsRequest,
} from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { TimeServiceService as Time } from "../../../../src/apps/rpc/gen/time/time.ts";
import { issueClient, issueRoot } from "../running-node.ts";
import { startControlPlane, to, type ControlPlane } from "./control-plane.ts";
import { answered, ask, askAll, definitions, list } from "./sequences.ts";
import { matching } from "./specs.ts";
import { generations, type Call, type Generation, type Talosctl } from "./talosctl.ts";

const SERVICES = ["apid", "controller-runtime", "machined", "trustd"];
let node: ControlPlane;
let talosctl: Talosctl;
beforeAll(async () => {
  node = await startControlPlane();
  talosctl = await node.dial();
});
afterAll(async () => {
  await talosctl[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

const logRequest = (id: string, tailLines: number, follow = false) => ({
  ...{ namespace: "system", id, driver: 0 as const, follow, tailLines },
});

/** Starts `events`, and drops the first message as the CLI does. */
async function events(generation: Generation, tail: Partial<EventsRequest> = {}) {
  const request = { tailEvents: 0, tailId: "", tailSeconds: 0, withActorId: "", ...tail };
  const call = talosctl.call(Machine.events, request, to(generation));
  const hello = answered(await call.next(), generation);
  expect([hello.data?.typeUrl, hello.data?.value.length, hello.id]).toEqual(["", 0, ""]);
  return call;
}

/** The message in an event, by the last part of its URL. */
function decoded({ data }: Event) {
  expect(data?.typeUrl).toMatch(/^talos\/runtime\/machine\./);
  const name = nameOfTypeUrl(data?.typeUrl ?? "");
  expect(name, data?.typeUrl).toBeDefined();
  return { name: name!, message: eventMessages[name!].decode(data!.value) };
}

/** Up to the one that says that the node has started. */
async function history(call: Call<Event>, generation: Generation): Promise<Event[]> {
  const found: Event[] = [];
  for (;;) {
    const event = answered(await call.next(), generation);
    found.push(event);
    const { name, message } = decoded(event);
    if (name === "MachineStatusEvent" && "stage" in message && message.stage === Stage.RUNNING)
      return found;
  }
}

/** Has the node tell of something: a configuration that it cannot take. */
const provoke = async () => {
  const data = Buffer.from("machine: [");
  const request = { data, mode: Mode.AUTO, dryRun: false, tryModeTimeout: undefined };
  await expect(ask(talosctl, Machine.applyConfiguration, request, "node")).rejects.toThrow();
};

describe.each(generations)("the header %s", (generation) => {
  test("services: each has events, oldest first, and health", async () => {
    const { services } = await ask(talosctl, Machine.serviceList, {}, generation);
    expect(services.map(({ id }) => id)).toEqual(SERVICES);
    for (const { id, state, events: told, health } of services) {
      expect([told, health], id).not.toContain(undefined);
      const [times, last] = [told!.events.map(({ ts }) => Number(ts)), told!.events.at(-1)];
      expect(times, id).toEqual([...times].sort((a, b) => a - b));
      expect(last?.state, id).toBe(state);
      expect(last?.msg, id).not.toBe("");
      expect(health?.lastChange, id).toBeInstanceOf(Date);
    }
  });

  test("service ID restart, start, stop: an answer in words, or a reason", async () => {
    const id = "controller-runtime";
    const { resp } = await ask(talosctl, Machine.serviceRestart, { id }, generation);
    expect(resp).toContain(id);
    expect((await ask(talosctl, Machine.serviceStart, { id }, generation)).resp).toContain(id);
    await expect(ask(talosctl, Machine.serviceStop, { id }, generation)).rejects.toThrow(id);
    const unknown = ask(talosctl, Machine.serviceRestart, { id: "kubelet" }, generation);
    await expect(unknown).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test("logs: those that can be asked for are there, each with its first line", async () => {
    const { ids } = await ask(talosctl, Machine.logsContainers, {}, generation);
    expect(ids).toEqual(SERVICES);
    for (const id of ids) {
      const chunks = await askAll(talosctl, Machine.logs, logRequest(id, -1), generation);
      const text = chunks.map(({ bytes }) => bytes.toString()).join("");
      expect(text, id).toMatch(/\n$/);
      const last = await askAll(talosctl, Machine.logs, logRequest(id, 1), generation);
      const line = last.map(({ bytes }) => bytes.toString()).join("");
      expect(line.split("\n"), id).toHaveLength(2);
      const none = await askAll(talosctl, Machine.logs, logRequest(id, 0), generation);
      expect(none).toEqual([]);
    }
    const missing = askAll(talosctl, Machine.logs, logRequest("kubelet", -1), generation);
    await expect(missing).rejects.toMatchObject({ code: status.NOT_FOUND });
    const kubernetes = { ...logRequest("apid", -1), namespace: "k8s.io", driver: 1 as const };
    await expect(askAll(talosctl, Machine.logs, kubernetes, generation)).rejects.toThrow();
  });

  test("logs -f: what comes later is told, until ctrl-C", async () => {
    const call = talosctl.call(Machine.logs, logRequest("apid", 1, true), to(generation));
    expect(answered(await call.next(), generation).bytes.length).toBeGreaterThan(0);
    const stranger = await issueClient(await issueRoot());
    await expect(node.dial(undefined, { identity: stranger })).rejects.toThrow();
    const { bytes } = answered(await call.next(), generation);
    expect(bytes.toString()).toContain("turned away");
    call.cancel();
    await call.end();
    await ask(talosctl, Machine.logsContainers, {}, generation);
  });

  test("events --tail: a hello, then the whole history or its end", async () => {
    const all = await events(generation, { tailEvents: -1 });
    const told = await history(all, generation);
    const ids = told.map(({ id }) => id);
    for (const id of ids) expect(id).toMatch(/^[0-9a-v]{19}[0g]$/);
    expect(ids).toEqual([...new Set(ids)].sort());
    const names = told.map((event) => decoded(event).name);
    for (const name of ["SequenceEvent", "PhaseEvent", "TaskEvent", "ServiceStateEvent"])
      expect(names).toContain(name);
    all.cancel();

    const since = await events(generation, { tailId: ids[0]! });
    expect(answered(await since.next(), generation).id).toBe(ids[1]);
    since.cancel();
    const lately = await events(generation, { tailSeconds: 3600 });
    expect((await lately.next()).id).toBe(ids[0]);
    lately.cancel();
    const two = await events(generation, { tailEvents: 2 });
    const [first, second] = [await two.next(), await two.next()];
    expect(first.id < second.id).toBe(true);
    two.cancel();
  });

  test("events: without looking back, only what happens from now on", async () => {
    const call = await events(generation);
    await provoke();
    const { name, message } = decoded(answered(await call.next(), generation));
    expect(name).toBe("ConfigLoadErrorEvent");
    expect(message).toMatchObject({ error: expect.stringMatching(/./) as string });
    call.cancel();
  });

  test("events: two ways to look back, or an id that is none, are refused", async () => {
    for (const tail of [{ tailEvents: 1, tailSeconds: 1 }, { tailId: "yesterday" }])
      await expect(events(generation, tail)).rejects.toMatchObject({
        code: status.INVALID_ARGUMENT,
      });
  });

  test("time: both timestamps; time --check: both, or a reason", async () => {
    const { server, localtime, remotetime } = await ask(talosctl, Time.time, {}, generation);
    expect(server).not.toBe("");
    for (const time of [localtime, remotetime]) expect(Number(time)).toBeGreaterThan(0);
    const check = ask(talosctl, Time.timeCheck, { server: "time.example.dev" }, generation);
    await expect(check).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    const nobody = ask(talosctl, Time.timeCheck, { server: "" }, generation);
    await expect(nobody).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test("health: lines that a person can read, and a good end", async () => {
    const request = {
      waitTimeout: { seconds: 1200n, nanos: 0 },
      clusterInfo: { controlPlaneNodes: ["127.0.0.1"], workerNodes: [], forceEndpoint: "" },
    };
    const progress = await askAll(talosctl, Cluster.healthCheck, request, generation);
    expect(progress).not.toEqual([]);
    for (const { message } of progress) expect(message).toMatch(/^waiting for .*: (?:\.\.\.|OK)$/);
  });

  test("inspect dependencies: edges of known kinds, owners that are controllers", async () => {
    const { edges } = await ask(talosctl, Inspect.controllerRuntimeDependencies, {}, generation);
    const kinds = await definitions(talosctl);
    const controllers = new Set(edges.map(({ controllerName }) => controllerName));
    const outputs = new Map<string, Set<string>>();
    for (const { controllerName, edgeType, resourceType } of edges) {
      expect(controllerName).not.toBe("");
      expect(matching(kinds, resourceType).map(({ type }) => type)).toEqual([resourceType]);
      expect([0, 1, 2, 3, 4]).toContain(edgeType);
      if (edgeType !== 0 && edgeType !== 3) continue;
      outputs.set(resourceType, (outputs.get(resourceType) ?? new Set()).add(controllerName));
    }
    expect(controllers.size).toBeGreaterThan(20);
    for (const [type, writers] of outputs) {
      const kind = kinds.find((known) => known.type === type)!;
      for (const { metadata } of await list(talosctl, kind.defaultNamespace, type))
        expect([...writers, ""], `${type}/${metadata?.id}`).toContain(metadata?.owner);
    }
  });
});
