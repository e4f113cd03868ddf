/** `talosctl get -w` (talosctl-wire.md §3.2, §4.5). */
import { status } from "@grpc/grpc-js";
import { applyConfigPatches, readConfigPatch } from "#config";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ApplyConfigurationRequest_Mode as Mode,
  MachineServiceService as Machine,
} from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { EventType, type Event } from "../../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { startControlPlane, to, type ControlPlane } from "./control-plane.ts";
import { list, watch, type Watching } from "./sequences.ts";
import { expectPrintable } from "./specs.ts";
import type { Talosctl } from "./talosctl.ts";

const CONFIGS = { namespace: "config", type: "MachineConfigs.config.talos.dev" };
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

let names = 0;
/** Applies a configuration that no node has had yet. */
async function change(mode: Mode = Mode.NO_REBOOT) {
  names += 1;
  const patch = readConfigPatch(`machine: {certSANs: [n${names}.example.dev]}`);
  const data = Buffer.from(applyConfigPatches(node.configuration, [patch]));
  const request = { data, mode, dryRun: false, tryModeTimeout: { seconds: 60n, nanos: 0 } };
  await talosctl.unary(Machine.applyConfiguration, request, to("node"));
}

const id = ({ resource }: Event) => resource?.metadata?.id;

/** Skips the empty message and what is there already. */
async function bootstrapped(watching: Watching): Promise<Event[]> {
  await watching.armed();
  const found: Event[] = [];
  for (;;) {
    const event = await watching.next();
    if (event.eventType === EventType.BOOTSTRAPPED) return found;
    found.push(event);
  }
}

test("get -w T: an empty message, all there is by id, BOOTSTRAPPED, then what happens", async () => {
  const { namespace, type } = CONFIGS;
  const there = (await list(talosctl, namespace, type)).map(({ metadata }) => metadata?.id);
  const watching = watch(talosctl, CONFIGS);
  const found = await bootstrapped(watching);
  expect(found.map(id)).toEqual(there);
  for (const { eventType, resource, old } of found) {
    expect([eventType, old]).toEqual([EventType.CREATED, undefined]);
    expectPrintable(resource);
  }

  await change();
  const updated = await watching.next();
  expect([updated.eventType, id(updated)]).toEqual([EventType.UPDATED, "v1alpha1"]);
  expectPrintable(updated.resource);
  expectPrintable(updated.old);
  expect(Number(updated.resource.metadata?.version)).toBe(
    Number(updated.old.metadata?.version) + 1,
  );
  watching.call.cancel();
});

test("get -w T: what is destroyed is told with all that it was", async () => {
  const watching = watch(talosctl, CONFIGS);
  await bootstrapped(watching);
  await change(Mode.STAGED);
  const created = await watching.next();
  expect([created.eventType, id(created)]).toEqual([EventType.CREATED, "staged"]);
  await change();
  const events = [await watching.next(), await watching.next()];
  const destroyed = events.find(({ eventType }) => eventType === EventType.DESTROYED);
  expect(id(destroyed!)).toBe("staged");
  expectPrintable(destroyed?.resource);
  expect(destroyed.resource.spec?.yamlSpec).toBe(created.resource?.spec?.yamlSpec);
  watching.call.cancel();
});

test("get -w T ID: first what it is now, then what becomes of it", async () => {
  const watching = watch(talosctl, { ...CONFIGS, id: "v1alpha1" });
  await watching.armed();
  const first = await watching.next();
  expect([first.eventType, id(first)]).toEqual([EventType.CREATED, "v1alpha1"]);
  expectPrintable(first.resource);
  await change();
  const next = await watching.next();
  expect(next.eventType).toBe(EventType.UPDATED);
  expectPrintable(next.old);
  watching.call.cancel();
});

test("get -w T ID of what is not there: a tombstone that every writer can print", async () => {
  const watching = watch(talosctl, { ...CONFIGS, id: "nothing" });
  await watching.armed();
  const { eventType, resource } = await watching.next();
  expect(eventType).toBe(EventType.DESTROYED);
  expectPrintable(resource);
  expect(resource.metadata).toMatchObject({ ...CONFIGS, id: "nothing" });
  watching.call.cancel();
});

test("a client of version 0 of the API is not told that it has all", async () => {
  const there = await list(talosctl, CONFIGS.namespace, CONFIGS.type);
  const watching = watch(talosctl, CONFIGS, { apiVersion: 0 });
  await watching.armed();
  for (const _ of there) expect((await watching.next()).eventType).toBe(EventType.CREATED);
  await change();
  expect((await watching.next()).eventType).toBe(EventType.UPDATED);
  watching.call.cancel();
});

test("a watch that broke goes on behind its last bookmark, and not behind a made-up one", async () => {
  const broken = watch(talosctl, CONFIGS);
  await bootstrapped(broken);
  await change();
  const { bookmark } = await broken.next();
  expect(bookmark).toBeDefined();
  broken.call.cancel();
  await change();
  const more = { bootstrapContents: false, startFromBookmark: bookmark };
  const again = watch(talosctl, CONFIGS, more);
  await again.armed();
  expect((await again.next()).eventType).toBe(EventType.UPDATED);
  again.call.cancel();

  const startFromBookmark = Buffer.from("no bookmark");
  const bad = watch(talosctl, CONFIGS, { bootstrapContents: false, startFromBookmark });
  await expect(bad.armed()).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
});

test("get -w T ID does not bootstrap", async () => {
  const watching = watch(talosctl, { ...CONFIGS, id: "x" }, { bootstrapContents: true });
  await expect(watching.armed()).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
});

test("get -w of a secret is refused before anything is said of it", async () => {
  await using reader = await node.dial(["os:reader"]);
  await expect(watch(reader, CONFIGS).armed()).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: "not authorized",
  });
});

test("ctrl-C ends a watch, and nothing else", async () => {
  const watching = watch(talosctl, CONFIGS);
  const other = watch(talosctl, CONFIGS);
  await bootstrapped(watching);
  await bootstrapped(other);
  watching.call.cancel();
  await watching.call.end();
  await change();
  expect((await other.next()).eventType).toBe(EventType.UPDATED);
  other.call.cancel();
});
