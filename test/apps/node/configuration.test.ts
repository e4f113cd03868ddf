import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateMachineConfigs, issueBundle, loadMachineConfig } from "#config";
import { webCryptoKeys } from "#pki";
import { ACTIVE, MachineConfig, SEED } from "#resources";
import { at, manualClock, systemRandom } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applyConfiguration } from "../../../src/apps/node/apply-configuration.ts";
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

const apply = (text: string, dryRun = false) =>
  applyConfiguration(text, {
    ...{ store, clock, keys: webCryptoKeys(), random: systemRandom, dryRun },
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
  const counted = new Proxy(core, {
    get(real, name) {
      const method: unknown = Reflect.get(real, name, real);
      if (typeof method !== "function") return method;
      return (...args: readonly unknown[]): unknown => {
        if (name === "commit") commits.push((args[0] as readonly unknown[]).length);
        return method.apply(real, args);
      };
    },
  });
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

test("a file is warned of when it is neither what seeded the state directory nor in force", async () => {
  await settle([fixture]);
  const original = await readFile(fixture, "utf8");
  const withName = (name: string) =>
    original.replace("        - demo.example.test\n", `        - ${name}\n`);
  const changed = join(directory, "changed.yaml");
  await writeFile(changed, withName("changed.example.test"));
  const { warnings } = await settle([changed]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/changed\.yaml differs .* in: machine\.certSANs; .*apply-config/);
  await apply(withName("changed.example.test"));
  for (const file of [fixture, changed])
    expect(await settle([file])).toMatchObject({ warnings: [] });
});

test("an authority that is replaced without being kept is warned of, also by a dry run", async () => {
  await settle([fixture]);
  const { controlplane } = generateMachineConfigs({
    clusterName: "demo",
    endpoint: "https://192.0.2.10:6443",
    bundle: await issueBundle({
      ...{ talosVersion: "v1.13", keys: webCryptoKeys(), random: systemRandom, now: clock.now() },
    }),
    talosVersion: "v1.13",
  });
  const warning = expect.stringContaining("not in machine.acceptedCAs") as string;
  expect((await apply(controlplane, true)).warnings).toContainEqual(warning);
  expect((await apply(await readFile(fixture, "utf8"))).warnings).not.toContainEqual(warning);
  const before = loadMachineConfig(await readFile(fixture, "utf8")).osRoot();
  const kept = Buffer.from(before.issuingCA?.crt ?? "").toString("base64");
  const keeping = controlplane.replace(
    /^machine:\n/m,
    `machine:\n    acceptedCAs:\n        - crt: ${kept}\n`,
  );
  expect((await apply(keeping)).warnings).not.toContainEqual(warning);
});
