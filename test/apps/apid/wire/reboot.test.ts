/** `talosctl reboot`, with its waiting, and `shutdown` (talosctl-wire.md §2.8); rotate-ca is in test/apps/node. */
import { expect, test } from "vitest";
import { eventMessages, nameOfTypeUrl } from "../../../../src/apps/rpc/event-messages.ts";
import {
  MachineServiceService as Machine,
  MachineStatusEvent_MachineStage as Stage,
  TaskEvent_Action as Action,
  type Event,
} from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { startControlPlane, to } from "./control-plane.ts";
import { answered, ask, askAll, checkVersion } from "./sequences.ts";
import type { Call, Generation, Talosctl } from "./talosctl.ts";

const bootId = async (talosctl: Talosctl, generation: Generation) => {
  const path = "/proc/sys/kernel/random/boot_id";
  const chunks = await askAll(talosctl, Machine.read, { path }, generation);
  return chunks.map(({ bytes }) => bytes.toString()).join("");
};

/** Starts `events` as the CLI does before it asks for anything. */
async function listen(talosctl: Talosctl, generation: Generation, tailEvents = 0) {
  const request = { tailEvents, tailId: "", tailSeconds: 0, withActorId: "" };
  const call = talosctl.call(Machine.events, request, to(generation));
  answered(await call.next(), generation);
  return call;
}

/** The first event that is this message, of this actor. */
async function until(
  call: Call<Event>,
  generation: Generation,
  is: (name: string, message: object) => boolean,
): Promise<Event> {
  for (;;) {
    const event = answered(await call.next(), generation);
    const name = nameOfTypeUrl(event.data?.typeUrl ?? "");
    if (name && is(name, eventMessages[name].decode(event.data!.value))) return event;
  }
}

const stage = (wanted: Stage) => (name: string, message: object) => {
  if (name !== "MachineStatusEvent") return false;
  expect(message, "the CLI dereferences it").toHaveProperty("status.ready");
  return "stage" in message && message.stage === wanted;
};

test("reboot: the node is ready again, with another boot id", async () => {
  await using node = await startControlPlane();
  await using talosctl = await node.dial();
  await checkVersion(talosctl, "node");
  const events = await listen(talosctl, "node");
  const before = await bootId(talosctl, "node");
  const again = node.servesAgain();
  const { actorId } = await ask(talosctl, Machine.reboot, { mode: 0 }, "node");
  expect(actorId).toMatch(/^[0-9a-f-]{36}$/);
  const leaving = await until(events, "node", stage(Stage.REBOOTING));
  expect(leaving.actorId).toBe(actorId);
  await again;

  await using next = await node.dial();
  const later = await listen(next, "node", -1);
  await until(later, "node", stage(Stage.RUNNING));
  expect(await bootId(next, "node")).not.toBe(before);
});

test("shutdown, by the header nodes: all services are stopped, and the node is gone", async () => {
  await using node = await startControlPlane();
  await using talosctl = await node.dial();
  await checkVersion(talosctl, "nodes");
  const events = await listen(talosctl, "nodes");
  const { actorId } = await ask(talosctl, Machine.shutdown, { force: false }, "nodes");
  const stopped = await until(
    events,
    "nodes",
    (name, message) =>
      name === "TaskEvent" &&
      "task" in message &&
      message.task === "stopAllServices" &&
      "action" in message &&
      message.action === Action.STOP,
  );
  expect(stopped.actorId).toBe(actorId);
  expect(await node.ended).toBe(0);
});
