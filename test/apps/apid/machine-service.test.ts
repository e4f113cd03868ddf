import { makeGenericClientConstructor, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { ControlPlaneOnlyError, type NodePorts } from "../../../src/apps/apid/index.ts";
import type { VersionResponse } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { CodedError, days, minutes, UnsupportedError } from "#runtime";
import { issueClient, rawClient, reply, runNode } from "./running-node.ts";

const build = { sha: "0123abc", built: "2030-01-01T00:00:00Z" };
const portsWith = (ports: Partial<NodePorts>): NodePorts => ({
  build,
  applyConfiguration: async () => ({ warnings: [], modeDetails: "" }),
  issueClientConfiguration: async () => ({ ca: "", crt: "", key: "", talosconfig: "" }),
  ...ports,
});

test("version has everything that clients would stumble over without", async () => {
  await using node = await runNode();
  const raw = rawClient(node, await issueClient(node.root));
  const { messages } = await reply<VersionResponse>((done) => raw.version({}, done));
  raw.close();
  expect(messages).toMatchObject([
    {
      metadata: undefined,
      version: { tag: "v1.14.0", sha: "0123abc", os: process.platform, goVersion: /^node v/ },
      platform: { name: "trustplane", mode: "container" },
      features: { rbac: true },
    },
  ]);
  expect(Object.values(messages[0]!.version!).every((value) => value !== "")).toBe(true);
});

test("a configuration is handed on, with what was said about it", async () => {
  const asked: unknown[] = [];
  const applyConfiguration: NodePorts["applyConfiguration"] = async (request) => {
    asked.push(request);
    return { warnings: ["careful"], modeDetails: "applied without a reboot" };
  };
  await using node = await runNode({ ports: portsWith({ applyConfiguration }) });
  const admin = await node.admin();
  const data = "version: v1alpha1 # ü\n";
  expect(await admin.applyConfiguration({ data })).toEqual({
    warnings: ["careful"],
    modeDetails: "applied without a reboot",
  });
  await admin.applyConfiguration({ data, mode: "no-reboot", dryRun: true });
  expect(asked).toEqual([
    { data, dryRun: false, mode: "no-reboot", tryTimeout: minutes(1) },
    { data, dryRun: true, mode: "no-reboot", tryTimeout: minutes(1) },
  ]);
});

const applied = async (
  request: { mode?: number; data?: Buffer },
  applyConfiguration: NodePorts["applyConfiguration"] = portsWith({}).applyConfiguration,
) => {
  await using node = await runNode({ ports: portsWith({ applyConfiguration }) });
  const raw = rawClient(node, await issueClient(node.root));
  const whole = { data: Buffer.from("x"), mode: 1, dryRun: false, tryModeTimeout: undefined };
  try {
    return await reply((done) => raw.applyConfiguration({ ...whole, ...request } as never, done));
  } finally {
    raw.close();
  }
};

test.each([
  ["reboot", 0],
  ["9", 9],
])("the mode %s is not implemented", async (name, mode) => {
  await expect(applied({ mode })).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
    details: `applying a configuration in the mode ${name} is not implemented: use auto, no-reboot, staged or try`,
  });
});

class NoSuchFieldError extends CodedError {
  readonly code = "ERR_CONFIG_TEST";
}

test("what is wrong with a configuration is told, what is wrong with us is not", async () => {
  const failing = (error: Error) => () => Promise.reject(error);
  await expect(
    applied({}, failing(new NoSuchFieldError("line 3: no such field"))),
  ).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, details: "line 3: no such field" });
  await expect(applied({}, failing(new UnsupportedError("not here")))).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
  });
  await expect(applied({}, failing(new Error("secret")))).rejects.toMatchObject({
    code: status.UNKNOWN,
    details: "internal error",
  });
  await expect(applied({ data: Buffer.from([0xff]) })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
});

test("two configurations are not applied at once", async () => {
  const { promise: done, resolve: finish } = Promise.withResolvers<undefined>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
  const applyConfiguration: NodePorts["applyConfiguration"] = async ({ dryRun }) => {
    begin(undefined);
    if (!dryRun) await done;
    return { warnings: [], modeDetails: "" };
  };
  await using node = await runNode({ ports: portsWith({ applyConfiguration }) });
  const admin = await node.admin();
  const first = admin.applyConfiguration({ data: "a" });
  await begun;
  await expect(admin.applyConfiguration({ data: "b" })).rejects.toMatchObject({
    status: status.FAILED_PRECONDITION,
  });
  // A dry run changes nothing: it is answered, and does not let another one in either.
  await expect(admin.applyConfiguration({ data: "b", dryRun: true })).resolves.toBeDefined();
  await expect(admin.applyConfiguration({ data: "b" })).rejects.toMatchObject({
    status: status.FAILED_PRECONDITION,
  });
  finish(undefined);
  await first;
  await expect(admin.applyConfiguration({ data: "c" })).resolves.toBeDefined();
});

test("a client configuration is issued for roles and a time", async () => {
  await using node = await runNode();
  const admin = await node.admin();
  const roles = ["os:reader", "os:operator"];
  expect(await admin.issueClientConfiguration({ roles, lifetime: days(1) })).toEqual({
    ca: node.root.crt,
    crt: "os:reader,os:operator",
    key: "key",
    talosconfig: `lifetime: ${days(1)}`,
  });
  await expect(admin.issueClientConfiguration({ roles, lifetime: 0 })).rejects.toMatchObject({
    status: status.INVALID_ARGUMENT,
    message: "rpc error: code = InvalidArgument desc = crt_ttl should be positive",
  });
});

test("a worker issues no client configurations", async () => {
  const issueClientConfiguration = () => Promise.reject(new ControlPlaneOnlyError("config new"));
  await using node = await runNode({ ports: portsWith({ issueClientConfiguration }) });
  const admin = await node.admin();
  await expect(
    admin.issueClientConfiguration({ roles: ["os:admin"], lifetime: days(1) }),
  ).rejects.toMatchObject({ status: status.UNIMPLEMENTED });
});

test("a method that is not here is unimplemented, known to the service or not", async () => {
  await using node = await runNode();
  const raw = rawClient(node, await issueClient(node.root));
  const unimplemented = { code: status.UNIMPLEMENTED };
  await expect(reply((done) => raw.serviceList({}, done))).rejects.toMatchObject(unimplemented);
  const none = (value: Buffer) => value;
  const { Ghost } = {
    Ghost: makeGenericClientConstructor(
      {
        boo: {
          path: "/machine.MachineService/Boo",
          requestStream: false,
          responseStream: false,
          ...{ requestSerialize: none, requestDeserialize: none },
          ...{ responseSerialize: none, responseDeserialize: none },
        },
      },
      "machine.MachineService",
    ),
  };
  const ghost = new Ghost("unused", undefined as never, { channelOverride: raw.getChannel() });
  await expect(
    reply((done) =>
      ghost.makeUnaryRequest(
        "/machine.MachineService/Boo",
        none,
        none,
        Buffer.alloc(0),
        done as never,
      ),
    ),
  ).rejects.toMatchObject(unimplemented);
  raw.close();
});

test("a configuration of 4 MiB passes, a larger one is refused", async () => {
  const sizes: number[] = [];
  const applyConfiguration: NodePorts["applyConfiguration"] = async ({ data }) => {
    sizes.push(data.length);
    return { warnings: [], modeDetails: "" };
  };
  await using node = await runNode({ ports: portsWith({ applyConfiguration }) });
  const admin = await node.admin();
  const data = "x".repeat(4 * 1024 * 1024);
  await admin.applyConfiguration({ data });
  await expect(admin.applyConfiguration({ data: `${data}x` })).rejects.toMatchObject({
    status: status.INVALID_ARGUMENT,
    message: expect.stringContaining("the configuration is larger than 4 MiB") as string,
  });
  expect(sizes).toEqual([data.length]);
});
