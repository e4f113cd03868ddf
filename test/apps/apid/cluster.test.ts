import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { minutes } from "#runtime";
import { UnhealthyError, type CheckHealth } from "../../../src/apps/apid/index.ts";
import { collect, headers, serve } from "./served.ts";

const check = async (
  health: CheckHealth,
  waitTimeout?: { seconds: bigint; nanos: number },
  nodes?: string,
) => {
  await using node = await serve({ health }, ["os:reader"]);
  const metadata = headers(nodes === undefined ? {} : { nodes });
  return await collect(node.cluster.healthCheck({ waitTimeout, clusterInfo: undefined }, metadata));
};

test("each line is a message, and a clean end is health", async () => {
  const timeouts: number[] = [];
  const health: CheckHealth = async ({ tell, timeout }) => {
    timeouts.push(timeout);
    await tell("waiting: ...");
    await tell("waiting: OK");
  };
  expect(await check(health)).toEqual([
    { metadata: undefined, message: "waiting: ..." },
    { metadata: undefined, message: "waiting: OK" },
  ]);
  await check(health, { seconds: 0n, nanos: 0 });
  await check(health, { seconds: 60n, nanos: 0 });
  expect(timeouts).toEqual([minutes(20), minutes(20), minutes(1)]);
  const named = await check(health, undefined, "127.0.0.1");
  expect(named).toMatchObject([{ metadata: { hostname: "127.0.0.1" } }, {}]);
});

test("what is not well ends it with a status that says so", async () => {
  const health: CheckHealth = () => Promise.reject(new UnhealthyError("no clock"));
  await expect(check(health)).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
    details: "no clock",
  });
  await expect(check(health, { seconds: -1n, nanos: 0 })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
});

test("one who goes away ends the check", async () => {
  const ended = Promise.withResolvers<undefined>();
  const health: CheckHealth = ({ signal, tell }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        ended.resolve(undefined);
        reject(new Error("gone"));
      });
      void tell("waiting");
    });
  await using node = await serve({ health });
  const stream = node.cluster.healthCheck({ waitTimeout: undefined, clusterInfo: undefined });
  stream.on("error", () => undefined).once("data", () => stream.cancel());
  await ended.promise;
});
