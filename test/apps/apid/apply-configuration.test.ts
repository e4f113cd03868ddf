/** The modes of ApplyConfiguration, as they are asked for and answered on the wire (talosctl-wire.md §2.4). */
import { status } from "@grpc/grpc-js";
import { minutes, seconds } from "#runtime";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { NodePorts } from "../../../src/apps/apid/index.ts";
import {
  ApplyConfigurationRequest_Mode as Mode,
  type ApplyConfigurationResponse,
  type MachineServiceClient,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import { issueClient, rawClient, reply, runNode, type RunningNode } from "./running-node.ts";

const asked: Parameters<NodePorts["applyConfiguration"]>[0][] = [];
let node: RunningNode;
let raw: MachineServiceClient;
beforeAll(async () => {
  node = await runNode({
    ports: {
      build: { sha: "0123abc", built: "2030-01-01T00:00:00Z" },
      applyConfiguration: async (request) => {
        asked.push(request);
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

const apply = (mode: Mode, tryModeTimeout?: { seconds: bigint; nanos: number }) =>
  reply<ApplyConfigurationResponse>((done) =>
    raw.applyConfiguration({ data: Buffer.from("x"), mode, dryRun: false, tryModeTimeout }, done),
  );

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
