import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import {
  ResetRequest,
  ResetRequest_WipeMode as WipeMode,
  type RebootResponse,
  type ResetResponse,
  type ShutdownResponse,
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

const resetOf = (request: Partial<ResetRequest>): ResetRequest => ({
  ...ResetRequest.decode(new Uint8Array()),
  ...request,
});

test("a reset is answered with who asked for it, before anything goes", async () => {
  await using booted = await bootNode();
  const { machine, boot, clock } = booted;
  const asked = resetOf({ reboot: true, mode: WipeMode.SYSTEM_DISK });
  const { messages } = await reply<ResetResponse>((done) => machine.reset(asked, done));
  expect(messages[0]?.actorId).toMatch(UUID);
  clock.advanceTo(clock.now());
  const ending = { name: "reset", actorId: messages[0]?.actorId, beginsAnew: true };
  expect(await boot.endings.asked).toEqual(ending);
});

test("a reset of what a node has not, or of a part of what it has, is refused", async () => {
  await using booted = await bootNode();
  const { machine } = booted;
  const label = (name: string) => ({ systemPartitionsToWipe: [{ label: name, wipe: true }] });
  for (const [request, code, details] of [
    [{ graceful: true }, status.FAILED_PRECONDITION, /^the cluster could not be told .*nobody/],
    [{ mode: WipeMode.USER_DISKS }, status.INVALID_ARGUMENT, /no user disks/],
    [{ userDisksToWipe: ["/dev/sda"] }, status.INVALID_ARGUMENT, /no user disks/],
    [{ mode: 7 as WipeMode }, status.INVALID_ARGUMENT, /no wipe mode 7/],
    [label("EPHEMERAL"), status.INVALID_ARGUMENT, /does not name/],
    [label("ROOT"), status.INVALID_ARGUMENT, /no partition ROOT/],
  ] satisfies [Partial<ResetRequest>, status, RegExp][])
    await expect(
      reply<ResetResponse>((done) => machine.reset(resetOf(request), done)),
    ).rejects.toMatchObject({ code, details: expect.stringMatching(details) as string });
  const named = resetOf(label("STATE"));
  expect((await reply<ResetResponse>((done) => machine.reset(named, done))).messages).toHaveLength(
    1,
  );
});

test("a reset is for administrators", async () => {
  await using booted = await bootNode();
  const machine = rawClient(booted.node, await issueClient(booted.node.root, ["os:operator"]));
  await expect(
    reply<ResetResponse>((done) => machine.reset(resetOf({}), done)),
  ).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  machine.close();
});
