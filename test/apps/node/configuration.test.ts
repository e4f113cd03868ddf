import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { webCryptoKeys } from "#pki";
import { ACTIVE, MachineConfig, SEED } from "#resources";
import { at, manualClock, systemRandom } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { settleConfiguration } from "../../../src/apps/node/configuration.ts";

const fixture = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");
const clock = manualClock(at("2026-12-01"));

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "trustplane-config-"));
  store = openMemoryStore({ clock });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const settle = (files: readonly string[], overwrite = false) =>
  settleConfiguration(files, {
    store,
    clock,
    keys: webCryptoKeys(),
    random: systemRandom,
    overwrite,
    demoAddress: "127.0.0.1",
  });

test("a file that is missing at the first start is named", async () => {
  await expect(settle([join(directory, "none.yaml")])).rejects.toMatchObject({
    code: "ERR_FILE_ACCESS",
    message: expect.stringMatching(/none\.yaml": no such file/) as string,
  });
  expect(await store.get(MachineConfig, ACTIVE)).toBeUndefined();
});

test("once there is a configuration, a file that cannot be used is one warning", async () => {
  await settle([fixture]);
  const broken = join(directory, "broken.yaml");
  await writeFile(broken, "machine: [\n");
  for (const file of [broken, join(directory, "none.yaml")]) {
    const { warnings } = await settle([file]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${file} is not looked at`);
  }
  await expect(settle([broken], true)).rejects.toMatchObject({ code: "ERR_CONFIG_PARSE" });
  const held = await store.get(MachineConfig, ACTIVE);
  expect(held?.spec.yaml).toBe(await readFile(fixture, "utf8"));
});

test("what is in force and what it came from are stored by one commit", async () => {
  const commits: number[] = [];
  const { core } = store;
  const commit: typeof core.commit = (writes) => {
    commits.push(writes.length);
    return core.commit(writes);
  };
  // Every other method is the real store's.
  const counted = Object.create(core, { commit: { value: commit } }) as typeof core;
  store = { ...store, core: counted };
  await settle([fixture]);
  await settle([fixture], true);
  expect(commits).toEqual([2, 2]);
  for (const id of [ACTIVE, SEED])
    expect((await store.get(MachineConfig, id))?.metadata).toMatchObject({ version: 2, owner: "" });
});

test("a demo stays one at later starts, until a configuration replaces it", async () => {
  expect(await settle([])).toEqual({ warnings: [], demo: true });
  expect(await settle([])).toEqual({ warnings: [], demo: true });
  expect(await settle([fixture])).toMatchObject({ demo: true });
  expect(await settle([fixture], true)).toMatchObject({ demo: false });
  expect(await settle([])).toMatchObject({ demo: false });
});
