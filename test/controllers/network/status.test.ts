import { HostnameStatus, NetworkStatus, NodeAddress } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { networkStatusController } from "../../../src/controllers/network/status.ts";
import { START } from "../control-plane.ts";
import { addresses } from "../surroundings.ts";

test("addresses and the hostname are ready each by itself, and no longer once they are gone", async () => {
  await using t = await mount(networkStatusController(), { now: START });
  const ready = () => {
    const status = t.spec(NetworkStatus, "status");
    return [status?.addressReady, status?.connectivityReady, status?.hostnameReady];
  };
  expect(ready()).toEqual([false, false, false]);
  await t.create(HostnameStatus, "hostname", { hostname: "cp-1", domainname: "" });
  expect(ready()).toEqual([false, false, true]);
  await t.create(NodeAddress, "current", addresses("192.0.2.7"));
  expect(ready()).toEqual([true, true, true]);
  await t.destroy(HostnameStatus, "hostname");
  expect(ready()).toEqual([true, true, false]);
});

test("an empty list of addresses is none, and other lists do not count", async () => {
  await using t = await mount(networkStatusController(), { now: START });
  await t.create(NodeAddress, "current", addresses());
  await t.create(NodeAddress, "accumulative", addresses("192.0.2.7"));
  expect(t.spec(NetworkStatus, "status")?.addressReady).toBe(false);
});
