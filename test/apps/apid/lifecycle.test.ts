import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type {
  RebootResponse,
  ShutdownResponse,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import { bootNode } from "./booted-node.ts";
import { issueClient, rawClient, reply } from "./running-node.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("a reboot is answered with who asked for it, before anything happens", async () => {
  await using booted = await bootNode();
  const { machine, boot, clock } = booted;
  const { messages } = await reply<RebootResponse>((done) => machine.reboot({ mode: 0 }, done));
  expect(messages[0]?.actorId).toMatch(UUID);
  clock.advanceTo(clock.now());
  expect(await boot.endings.asked).toEqual({ name: "reboot", actorId: messages[0]?.actorId });
});

test("a node that is on its way down does not begin to go down", async () => {
  await using booted = await bootNode();
  const { machine } = booted;
  await reply<ShutdownResponse>((done) => machine.shutdown({ force: false }, done));
  await expect(
    reply<RebootResponse>((done) => machine.reboot({ mode: 0 }, done)),
  ).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: "a shutdown of this node is under way",
  });
});

test("a reader may not end a node, an operator may", async () => {
  await using booted = await bootNode();
  for (const [role, code] of [
    ["os:reader", status.PERMISSION_DENIED],
    ["os:operator", undefined],
  ] as const) {
    const identity = await issueClient(booted.node.root, [role]);
    const machine = rawClient(booted.node, identity);
    const asked = reply<ShutdownResponse>((done) => machine.shutdown({ force: false }, done));
    if (code === undefined) expect((await asked).messages).toHaveLength(1);
    else await expect(asked).rejects.toMatchObject({ code });
    machine.close();
  }
});
