/** A node whose stored state is damaged: it starts, serves what it holds, and says what is wrong. */
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSqliteStore } from "#runtime/store";
import { SecurityStatus } from "#resources";
import { runNode } from "../../../src/apps/node/index.ts";

const config = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");
const directory = await mkdtemp(join(tmpdir(), "trustplane-damage-"));
const whole = join(directory, "whole");

/** Runs a node until its table is printed. */
async function live(stateDir: string, more: { configFiles?: string[]; overwrite?: boolean } = {}) {
  const stopping = new AbortController();
  let table = "";
  const status = await runNode(
    {
      configFiles: more.configFiles ?? [],
      configOverwrite: more.overwrite ?? false,
      stateDir,
      apiAddress: "127.0.0.1",
      apiPort: 0,
      timeSource: "none",
      adopt: false,
    },
    {
      stdout(text) {
        table += text;
        stopping.abort();
      },
      stderr: () => undefined,
      stderrIsTerminal: false,
      signal: stopping.signal,
    },
  );
  return { status, valid: table.split("\n").filter((line) => line.endsWith("Valid")).length };
}

/** Every published file, by its path. */
async function published(stateDir: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const path of await readdir(join(stateDir, "pki"), { recursive: true })) {
    if (/\.\.|pki$|etcd$|^[a-z]+$/.test(path)) continue;
    files[path] = await readFile(join(stateDir, "pki", path), "utf8");
  }
  return files;
}

function damage(stateDir: string, type: string, spec: string): void {
  const database = new DatabaseSync(join(stateDir, "state.db"));
  const sql = "UPDATE resources SET spec = ? WHERE type LIKE ? AND id <> 'seed'";
  expect(database.prepare(sql).run(spec, `${type}.%`).changes).toBeGreaterThan(0);
  database.close();
}

const findings = async (stateDir: string) => {
  await using store = await openSqliteStore({ path: join(stateDir, "state.db") });
  return (await store.get(SecurityStatus, "node"))?.spec.findings ?? [];
};

beforeAll(async () => {
  expect(await live(whole, { configFiles: [config] })).toEqual({ status: 0, valid: 18 });
});
afterAll(() => rm(directory, { recursive: true }));

const copyOf = async (name: string) => {
  const copy = join(directory, name);
  await cp(whole, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
};

const derived = [
  "ApiCertificates",
  "CertSANs",
  "CertificateStatuses",
  "ControllerStatuses",
  "EtcdRootSecrets",
  "EtcdSecrets",
  "FileSets",
  "KubernetesDynamicCerts",
  "KubernetesRootSecrets",
  "KubernetesSecrets",
  "NodeAddresses",
  "OSRootSecrets",
  "SecurityStatuses",
  "TimeStatuses",
  "TrustdCertificates",
];

test.each(derived)("%s that cannot be read are made anew", async (type) => {
  const copy = await copyOf(type);
  damage(copy, type, "{");
  expect(await live(copy)).toEqual({ status: 0, valid: 18 });
  expect((await findings(copy)).map(({ message }) => message).join()).toContain(type);
  expect(await live(copy)).toEqual({ status: 0, valid: 18 });
});

/** What is JSON, and no spec of any kind. */
const misfits = ["{}", "null", '{"yaml":5}'];

test.each(misfits)("specs that are %s are as damaged as what is no JSON", async (spec) => {
  const copy = await copyOf(`misfits-${misfits.indexOf(spec)}`);
  for (const type of derived) damage(copy, type, spec);
  expect(await live(copy)).toEqual({ status: 0, valid: 18 });
  const told = (await findings(copy)).map(({ message }) => message).join();
  expect(derived.filter((type) => !told.includes(type))).toEqual([]);
});

test.each(misfits)(
  "a configuration that is %s is kept, and all that was made of it",
  async (spec) => {
    const copy = await copyOf(`config-${misfits.indexOf(spec)}`);
    const before = await published(copy);
    damage(copy, "MachineConfigs", spec);
    expect(await live(copy)).toEqual({ status: 0, valid: 18 });
    expect(await published(copy)).toEqual(before);
    expect(await findings(copy)).toContainEqual(expect.objectContaining({ severity: "critical" }));
    const database = new DatabaseSync(join(copy, "state.db"));
    const kept = "SELECT spec FROM resources WHERE type LIKE 'MachineConfigs.%' AND id <> 'seed'";
    expect(database.prepare(kept).all()).toEqual([{ spec }]);
    database.close();
  },
);

test.each(["Namespaces", "ResourceDefinitions", "Identities"])(
  "%s that cannot be read change no certificate",
  async (type) => {
    const copy = await copyOf(type);
    const before = await published(copy);
    damage(copy, type, "{");
    expect(await live(copy)).toEqual({ status: 0, valid: 18 });
    expect(await published(copy)).toEqual(before);
  },
);

test("an identity that is lost without a trace changes no certificate", async () => {
  const copy = await copyOf("lost-identity");
  const before = await published(copy);
  const database = new DatabaseSync(join(copy, "state.db"));
  const sql = "DELETE FROM resources WHERE type LIKE 'Identities.%' AND id = 'local'";
  expect(database.prepare(sql).run().changes).toBe(1);
  database.close();
  expect(await live(copy)).toEqual({ status: 0, valid: 18 });
  expect(await published(copy)).toEqual(before);
});

test("a configuration that cannot be read is kept, and all that was made of it", async () => {
  const copy = await copyOf("config");
  const before = await published(copy);
  damage(copy, "MachineConfigs", "{");
  for (const configFiles of [[], [config]]) {
    expect(await live(copy, { configFiles })).toEqual({ status: 0, valid: 18 });
    expect(await published(copy)).toEqual(before);
  }
  expect(await findings(copy)).toContainEqual(
    expect.objectContaining({ severity: "critical", command: "trustplane apply-config -f FILE" }),
  );
  expect(await live(copy, { configFiles: [config], overwrite: true })).toMatchObject({ valid: 18 });
  expect(await live(copy)).toEqual({ status: 0, valid: 18 });
  expect(await findings(copy)).not.toContainEqual(
    expect.objectContaining({ severity: "critical" }),
  );
  expect(await published(copy)).toEqual(before);
});
