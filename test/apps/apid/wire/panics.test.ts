/** What makes talosctl panic or fail: one test for each line of talosctl-wire.md §8 that is about messages. */
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { eventMessages, nameOfTypeUrl } from "../../../../src/apps/rpc/event-messages.ts";
import {
  MachineServiceService as Machine,
  MachineStatusEvent_MachineStage as Stage,
} from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { TimeServiceService as Time } from "../../../../src/apps/rpc/gen/time/time.ts";
import { EventType } from "../../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { bootNode } from "../booted-node.ts";
import { issueClient } from "../running-node.ts";
import { NODE, startControlPlane, to, type ControlPlane } from "./control-plane.ts";
import { answered, ask, checkVersion, definitions, get, list, watch } from "./sequences.ts";
import { definitionOf, expectPrintable, fieldsOf, messages, number } from "./specs.ts";
import { dial, generations, type Talosctl } from "./talosctl.ts";

const DEFINITIONS = "ResourceDefinitions.meta.cosi.dev";
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

describe.each(generations)("the header %s", (generation) => {
  test("1: a reply to Version has a version, and its tag can be parsed", async () => {
    await checkVersion(talosctl, generation);
  });

  test("2: every service has events and health, also before anything has started", async () => {
    await using booted = await bootNode();
    const { root, apid } = booted.node;
    const identity = await issueClient(root);
    await using early = await dial({ host: NODE, port: apid.port, ca: root.crt, identity });
    for (const asked of [talosctl, early]) {
      const { services } = await ask(asked, Machine.serviceList, {}, generation);
      expect(services).not.toEqual([]);
      for (const { id, events, health } of services)
        expect([events, health], id).not.toContain(undefined);
    }
  });

  test("3: every MachineStatusEvent has a status", async () => {
    const request = { tailEvents: -1, tailId: "", tailSeconds: 0, withActorId: "" };
    const call = talosctl.call(Machine.events, request, to(generation));
    for (let stage: Stage = Stage.UNKNOWN; stage !== Stage.RUNNING;) {
      const { data } = answered(await call.next(), generation);
      expect(data).toBeDefined();
      if (nameOfTypeUrl(data?.typeUrl ?? "") !== "MachineStatusEvent") continue;
      const event = eventMessages.MachineStatusEvent.decode(data!.value);
      expect(event.status).toBeDefined();
      stage = event.stage;
    }
    call.cancel();
  });

  test("4: GenerateClientConfiguration is one message, whose context is among its contexts", async () => {
    for (const roles of [["os:admin"], ["os:reader"], ["os:admin", "os:reader"]]) {
      const request = { roles, crtTtl: { seconds: 60n, nanos: 0 } };
      const method = Machine.generateClientConfiguration;
      const { talosconfig } = await ask(talosctl, method, request, generation);
      const read = parse(talosconfig.toString()) as { context: string; contexts: object };
      expect(Object.keys(read.contexts)).toContain(read.context);
    }
  });

  test("11: no message names a node without a name", async () => {
    for (const [name, hostname] of [
      [NODE, generation === "nodes" ? NODE : undefined],
      ["localhost", generation === "nodes" ? "localhost" : undefined],
      ["", undefined],
    ] as const) {
      const headers = { [generation]: name };
      const unary = await Promise.all([
        talosctl.unary(Machine.version, {}, headers),
        talosctl.unary(Machine.serviceList, {}, headers),
        talosctl.unary(Time.time, {}, headers),
      ]);
      const request = { namespace: "system", id: "apid", driver: 0, follow: false, tailLines: -1 };
      const logs = await talosctl.call(Machine.logs, request as never, headers).all();
      for (const { metadata } of [...unary.flatMap((reply) => [...reply.messages]), ...logs])
        expect(metadata?.hostname, name).toBe(hostname);
    }
  });

  test("12: a reply to Time has the local and the remote time", async () => {
    const { localtime, remotetime } = await ask(talosctl, Time.time, {}, generation);
    expect([localtime, remotetime]).not.toContain(undefined);
  });
});

test("5: there is a control plane among the members, with an address", async () => {
  const members = await list(talosctl, "cluster", "Members.cluster.talos.dev");
  const specs = members.map(({ spec }) => fieldsOf(spec!.protoSpec));
  const planes = specs.filter((spec) => [1, 2].includes(number(spec, 4)));
  expect(planes).not.toEqual([]);
  for (const plane of planes)
    expect(messages(plane, 2).map((ip) => (ip.get(1)?.[0] as Uint8Array).length)).toContain(4);
});

test("6: every resource has metadata with a version and a phase, and a spec", async () => {
  let count = 0;
  for (const { defaultNamespace: namespace, type } of await definitions(talosctl))
    for (const { metadata } of await list(talosctl, namespace, type)) {
      expectPrintable(await get(talosctl, namespace, type, metadata?.id ?? ""));
      count += 1;
    }
  expect(count).toBeGreaterThan(100);
});

test("7: every kind has a definition, told by proto_spec", async () => {
  const found = await list(talosctl, "meta", DEFINITIONS);
  expect(found.length).toBeGreaterThan(20);
  for (const resource of found) {
    const { id, type, displayType, defaultNamespace, allAliases } = definitionOf(resource);
    expect(id).toBe(type.toLowerCase());
    for (const text of [displayType, defaultNamespace, ...allAliases])
      expect(text, id).not.toBe("");
    expect(allAliases, id).not.toEqual([]);
  }
});

test("8: no text of a spec is empty, not even that of what is not there", async () => {
  for (const { defaultNamespace: namespace, type } of await definitions(talosctl)) {
    for (const { spec } of await list(talosctl, namespace, type))
      expect(spec?.yamlSpec, type).not.toBe("");
    const watching = watch(talosctl, { namespace, type, id: "nothing" });
    await watching.armed();
    expectPrintable((await watching.next()).resource);
    watching.call.cancel();
  }
});

test("9: a watch of any kind begins with an empty message, and says when it has told all", async () => {
  for (const { defaultNamespace: namespace, type } of await definitions(talosctl)) {
    const watching = watch(talosctl, { namespace, type });
    await watching.armed();
    for (;;) {
      const { eventType, resource } = await watching.next();
      if (eventType === EventType.BOOTSTRAPPED) break;
      expect(eventType, type).toBe(EventType.CREATED);
      expectPrintable(resource);
    }
    watching.call.cancel();
  }
});

test("10: an :authority with a comma is as good as any other, and no text in it harms", async () => {
  const list = `${NODE}:${node.port},127.0.0.2:${node.port}`;
  for (const authority of [list, "[::1", "x:99999999", "%zz", ","]) {
    await using odd = await node.dial(undefined, { authority });
    for (const generation of generations) await checkVersion(odd, generation);
    await definitions(odd);
  }
  for (const authority of ["a b", "http://x/", "@"]) {
    await using odd = await node.dial(undefined, { authority });
    expect((await odd.call(Machine.version, {}).end()).code, authority).not.toBe(status.OK);
  }
  await checkVersion(talosctl, "node");
});
