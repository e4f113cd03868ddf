/** The engine on every store that there is: COSI's suites as outcomes (cosi.md §8.2–8.4). */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ControllerStatus } from "#runtime";
import { openMemoryStore, openSqliteStore, storeOver } from "#runtime/store";
import {
  engineConformance,
  engineSkips,
  type OpenStore,
} from "../../../src/runtime/conformance/engine.ts";
import { Int, Sentence, Str } from "../../../src/runtime/conformance/engine-suite.ts";
import { openBehindServer } from "../store/remote-server.ts";
import { Unatomic } from "./unatomic-core.ts";

const scratch = mkdtempSync(join(tmpdir(), "trustplane-engine-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));
let files = 0;
const behindServers = openBehindServer([Int, Str, Sentence, ControllerStatus]);
afterAll(() => behindServers[Symbol.asyncDispose]());

const stores: Readonly<Record<string, OpenStore>> = {
  memory: (options) => Promise.resolve(openMemoryStore(options)),
  SQLite: (options) =>
    openSqliteStore({ path: join(scratch, `${String(files++)}.db`), ...options }),
  "a store that is not atomic": (options) =>
    Promise.resolve(storeOver(new Unatomic(openMemoryStore(options).core))),
  remote: (options) => behindServers.open(options),
};

describe.each(Object.entries(stores))("on %s", (_, open) => {
  test.each(engineConformance.map((engineCase) => [engineCase.name, engineCase] as const))(
    "%s",
    (_name, engineCase) => engineCase.run(open),
  );
});

test("each case has a name of its own, and each skip a reason", () => {
  const names = engineConformance.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(engineSkips.filter(({ reason }) => reason === "")).toEqual([]);
  for (const { name, reason } of engineSkips) console.log(`not met: ${name}: ${reason}`);
});
