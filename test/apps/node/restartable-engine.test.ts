/** An engine that is restarted while the node ends. */
import { at, manualClock, silentLogger, systemRandom } from "#runtime";
import { createEngine, type Engine } from "#runtime/engine";
import { openMemoryStore, type Store } from "#runtime/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newBoot, type Boot } from "../../../src/apps/node/boot.ts";
import { restartableEngine } from "../../../src/apps/node/restartable.ts";

const ID = "controller-runtime";
const clock = manualClock(at("2030-01-01"));

let store: Store;
let boot: Boot;
let made: Engine[];
beforeEach(() => {
  store = openMemoryStore({ clock });
  boot = newBoot({ clock, random: systemRandom });
  made = [];
});
afterEach(() => store.close());

const make = () => {
  const options = { store, clock, random: systemRandom, log: silentLogger, controllers: [] };
  const engine = createEngine(options);
  made.push(engine);
  return engine;
};
const state = () => boot.services.list().find(({ id }) => id === ID)?.state;

test("a restart makes a new engine, and the end of the node stops that", async () => {
  const engine = restartableEngine(make, boot);
  await engine.start();
  await boot.services.restart(ID);
  expect(made).toHaveLength(2);
  expect(state()).toBe("Running");
  await engine.stop();
  await expect(made[1]!.register()).rejects.toThrow("the engine was stopped");
});

test("a restart that the end of the node meets makes no new engine", async () => {
  const engine = restartableEngine(make, boot);
  await engine.start();
  const restarted = boot.services.restart(ID);
  const stopped = engine.stop();
  await expect(restarted).rejects.toThrow(`service "${ID}" is not started again: the node ends`);
  await stopped;
  expect(made).toHaveLength(1);
  expect(state()).not.toBe("Running");
});

test("an engine that is stopped while it starts is not said to run", async () => {
  const engine = restartableEngine(make, boot);
  const started = engine.start();
  await engine.stop();
  await started;
  expect(state()).not.toBe("Running");
});
