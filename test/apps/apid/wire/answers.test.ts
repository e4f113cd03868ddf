/** Line 15 of talosctl-wire.md §8: calls have no deadline, so every one has to be answered or to fail. */
import { status, type MethodDefinition, type ServiceDefinition } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterServiceService } from "../../../../src/apps/rpc/gen/cluster/cluster.ts";
import { ControlServiceService } from "../../../../src/apps/rpc/gen/control/control.ts";
import { InspectServiceService } from "../../../../src/apps/rpc/gen/inspect/inspect.ts";
import { MachineServiceService } from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { TimeServiceService } from "../../../../src/apps/rpc/gen/time/time.ts";
import { StateService } from "../../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { issueClient, runNode } from "../running-node.ts";
import { NODE, startControlPlane, type ControlPlane } from "./control-plane.ts";
import { checkVersion } from "./sequences.ts";
import { dial, generations, type Talosctl } from "./talosctl.ts";

type Method = MethodDefinition<Buffer, Buffer>;

/** All that is described, by path; requests and replies are bytes here. */
const methods: readonly Method[] = [
  ...[ClusterServiceService, ControlServiceService, InspectServiceService],
  ...[MachineServiceService, TimeServiceService, StateService],
].flatMap((service) =>
  Object.values(service as ServiceDefinition).map((method) => ({
    ...method,
    requestSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  })),
);

/** These end the run of the node when they are asked for nothing in particular. */
const ENDINGS = ["Reboot", "Reset", "Shutdown"].map((name) => `/machine.MachineService/${name}`);

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

/** A first message, or how it ended. */
async function answer(method: Method, request: Buffer, headers = {}) {
  const call = talosctl.call(method, request, headers);
  const first = await call.next().catch(() => undefined);
  if (first === undefined) return call.end();
  call.cancel();
  return { code: status.OK };
}

test("15: every method answers an empty request, for each generation", async () => {
  const tried = methods.filter(({ path }) => !ENDINGS.includes(path));
  expect(tried.length).toBeGreaterThan(30);
  for (const generation of generations)
    for (const method of tried) {
      const { code } = await answer(method, Buffer.alloc(0), { [generation]: NODE });
      const { path } = method;
      expect([status.INTERNAL, status.UNAVAILABLE], path).not.toContain(code);
      // Clients read INVALID_ARGUMENT as a phase conflict there.
      if (!path.endsWith("/Update")) expect(code, path).not.toBe(status.UNKNOWN);
    }
  await checkVersion(talosctl, "node");
});

test("15: bytes that are no message are refused, and nothing is done with them", async () => {
  const broken = [Buffer.from([0xff]), Buffer.from([0x0a, 0x7f, 0x61])];
  for (const method of methods)
    for (const bytes of broken)
      expect((await answer(method, bytes)).code, method.path).not.toBe(status.OK);
  await checkVersion(talosctl, "node");
});

test("15: what is not served is UNIMPLEMENTED, also a path that is none", async () => {
  const [method] = methods;
  for (const path of ["/machine.MachineService/Dmesg", "/etcd.X/Y", "/x", "/"])
    expect(await answer({ ...method!, path }, Buffer.alloc(0)), path).toMatchObject({
      code: status.UNIMPLEMENTED,
    });
});

test("15: a handler that fails in a way that nobody thought of ends its call with a status", async () => {
  const fail = async () => {
    throw new Error("a detail of the inside");
  };
  await using broken = await runNode({
    ports: {
      build: { sha: "", built: "" },
      ...{ applyConfiguration: fail, issueClientConfiguration: fail },
      time: { clock: { now: () => Number.NaN as never }, source: fail },
      health: fail,
      graph: () => {
        throw new TypeError("x is undefined");
      },
    },
  });
  const identity = await issueClient(broken.root);
  const { port } = broken.apid;
  await using somebody = await dial({ host: NODE, port, ca: broken.root.crt, identity });
  for (const path of [
    "/machine.MachineService/ApplyConfiguration",
    "/time.TimeService/Time",
    "/cluster.ClusterService/HealthCheck",
    "/inspect.InspectService/ControllerRuntimeDependencies",
  ]) {
    const method = methods.find((known) => known.path === path)!;
    const request = path.endsWith("ApplyConfiguration")
      ? Buffer.from([0x20, 0x01])
      : Buffer.alloc(0);
    const { code, message } = await somebody.call(method, request).end();
    expect([code, message], path).toEqual([status.UNKNOWN, "internal error"]);
  }
  await checkVersion(somebody, "node");
});
