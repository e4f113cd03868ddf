import { setImmediate } from "node:timers/promises";
import { Service } from "#resources";
import { at, manualClock, silentLogger, systemRandom } from "#runtime";
import { openMemoryStore } from "#runtime/store";
import { expect, test } from "vitest";
import { newBoot } from "../../../src/apps/node/boot.ts";
import { keepServiceResources } from "../../../src/apps/node/service-resources.ts";

const aBoot = () => newBoot({ clock: manualClock(at("2030-01-01")), random: systemRandom });

test("each service is a resource, which a new run puts right", async () => {
  await using store = openMemoryStore();
  const first = aBoot();
  const spec = async (id: string) => (await store.get(Service, id))?.spec;
  const waiting = { running: false, healthy: false, unknown: true };
  const running = { running: true, healthy: true, unknown: false };
  const keeping = keepServiceResources(first.services, store, silentLogger);
  first.services.set("apid", "Running", "");
  await keeping[Symbol.asyncDispose]();
  expect((await store.list(Service)).map(({ metadata }) => metadata.id)).toEqual([
    "apid",
    "controller-runtime",
    "machined",
    "trustd",
  ]);
  expect(await spec("apid")).toEqual(running);
  expect(await spec("trustd")).toEqual(waiting);

  first.services.set("trustd", "Running", ""); // the store may be closed by now
  await setImmediate();
  expect(await spec("trustd")).toEqual(waiting);
  await keepServiceResources(aBoot().services, store, silentLogger)[Symbol.asyncDispose]();
  expect(await spec("apid")).toEqual(waiting);
});

test("what changes while something is written is written, too", async () => {
  await using store = openMemoryStore();
  const { services } = aBoot();
  await using _keeping = keepServiceResources(services, store, silentLogger);
  const types = ["created", "updated"] as const;
  const matches = ({ spec }: { readonly spec: { readonly running: boolean } }) => spec.running;
  await store.watchFor(Service, "trustd", { types: [...types] });
  services.set("apid", "Running", "");
  await store.watchFor(Service, "apid", { types: [...types], matches });
  services.set("apid", "Failed", "");
  services.set("machined", "Running", "");
  await store.watchFor(Service, "machined", { types: [...types], matches });
  expect((await store.get(Service, "apid"))?.spec.running).toBe(false);
});
