import { status } from "@grpc/grpc-js";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { at, manualClock } from "#runtime";
import {
  ControlPlaneOnlyError,
  KubernetesAuthorityMissingError,
} from "../../../../src/apps/apid/index.ts";
import { untar } from "../../untar.ts";
import { collect, serve } from "../served.ts";

const clock = manualClock(at("2030-01-01"));

const fetched = async (issue: () => Promise<string>) => {
  await using node = await serve({ kubeconfig: { issue, clock } });
  return Buffer.concat((await collect(node.machine.kubeconfig({}))).map(({ bytes }) => bytes));
};

test("one regular file of that name in a gzip'd tar, the same bytes at the same time", async () => {
  const bytes = await fetched(async () => "kind: Config\n");
  expect(untar(gunzipSync(bytes))).toEqual([
    { name: "kubeconfig", mode: "0600", type: "-", content: "kind: Config\n" },
  ]);
  expect(await fetched(async () => "kind: Config\n")).toEqual(bytes);
});

test.each([
  [new ControlPlaneOnlyError("kubeconfig"), status.UNIMPLEMENTED],
  [new KubernetesAuthorityMissingError(), status.FAILED_PRECONDITION],
])("%s ends the stream with a status", async (error, code) => {
  await expect(fetched(() => Promise.reject(error))).rejects.toMatchObject({
    code,
    details: error.message,
  });
});
