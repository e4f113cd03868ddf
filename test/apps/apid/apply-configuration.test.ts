/** The modes of ApplyConfiguration, as they are asked for and answered on the wire (talosctl-wire.md §2.4). */
import { status } from "@grpc/grpc-js";
import { minutes, seconds } from "#runtime";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { NodePorts } from "../../../src/apps/apid/index.ts";
import {
  ApplyConfigurationRequest_Mode as Mode,
  type ApplyConfigurationRequest,
  type ApplyConfigurationResponse,
  type MachineServiceClient,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import { issueClient, rawClient, reply, runNode, type RunningNode } from "./running-node.ts";

const asked: Parameters<NodePorts["applyConfiguration"]>[0][] = [];
let node: RunningNode;
let raw: MachineServiceClient;
/** What an application waits for once it is asked for. */
let gate: () => Promise<unknown> = async () => undefined;
beforeAll(async () => {
  node = await runNode({
    ports: {
      build: { sha: "0123abc", built: "2030-01-01T00:00:00Z" },
      applyConfiguration: async (request) => {
        asked.push(request);
        await gate();
        return { warnings: [], modeDetails: "" };
      },
      issueClientConfiguration: async () => ({ ca: "", crt: "", key: "", talosconfig: "" }),
    },
  });
  raw = rawClient(node, await issueClient(node.root));
});
afterAll(async () => {
  raw.close();
  await node[Symbol.asyncDispose]();
});
beforeEach(() => {
  asked.length = 0;
});

const send = (request: Partial<ApplyConfigurationRequest>) =>
  reply<ApplyConfigurationResponse>((done) =>
    raw.applyConfiguration(
      {
        ...{ data: Buffer.from("x"), mode: Mode.AUTO, dryRun: false, tryModeTimeout: undefined },
        ...request,
      },
      done,
    ),
  );
const apply = (mode: Mode, tryModeTimeout?: { seconds: bigint; nanos: number }) =>
  send({ mode, tryModeTimeout });

test.each([
  ["auto", Mode.AUTO, Mode.NO_REBOOT, "no-reboot"],
  ["no-reboot", Mode.NO_REBOOT, Mode.NO_REBOOT, "no-reboot"],
  ["staged", Mode.STAGED, Mode.STAGED, "staged"],
  ["try", Mode.TRY, Mode.TRY, "try"],
])("the mode %s is answered by what it comes to", async (_name, mode, answered, meant) => {
  expect((await apply(mode)).messages).toMatchObject([{ mode: answered }]);
  expect(asked).toMatchObject([{ mode: meant }]);
});

test("a trial lasts as long as is asked for, a minute by default, and never no time", async () => {
  await apply(Mode.TRY);
  await apply(Mode.TRY, { seconds: 90n, nanos: 500_000_000 });
  expect(asked.map(({ tryTimeout }) => tryTimeout)).toEqual([minutes(1), seconds(90.5)]);
  await expect(apply(Mode.TRY, { seconds: 0n, nanos: 0 })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: "try_mode_timeout should be positive",
  });
  expect(asked).toHaveLength(2);
});

test("a trial lasts a day at most", async () => {
  await apply(Mode.TRY, { seconds: 86_400n, nanos: 0 });
  for (const [whole, nanos] of [
    [86_400n, 1_000_000],
    [10n ** 13n, 0],
  ] as const)
    await expect(apply(Mode.TRY, { seconds: whole, nanos })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: "try_mode_timeout should be at most 24 hours",
    });
  expect(asked).toHaveLength(1);
});

test("a configuration over 4 MiB is refused before anybody reads it", async () => {
  await send({ data: Buffer.alloc(4 * 1024 * 1024, "x") });
  await expect(send({ data: Buffer.alloc(4 * 1024 * 1024 + 1, "x") })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: "the configuration is larger than 4 MiB",
  });
  expect(asked).toHaveLength(1);
});

test("one configuration is applied, and one looked at by a dry run, at a time", async () => {
  const [begun, end] = [Promise.withResolvers(), Promise.withResolvers()];
  gate = () => {
    if (asked.length === 2) begun.resolve(undefined);
    return end.promise;
  };
  const held = [send({ dryRun: false }), send({ dryRun: true })];
  await begun.promise;
  for (const [dryRun, doing] of [
    [false, "applied"],
    [true, "looked at by a dry run"],
  ] as const)
    await expect(send({ dryRun })).rejects.toMatchObject({
      details: `another configuration is being ${doing}; try again when it is done`,
    });
  end.resolve(undefined);
  await Promise.all(held);
  await send({ dryRun: true });
  expect(asked).toHaveLength(3);
});
