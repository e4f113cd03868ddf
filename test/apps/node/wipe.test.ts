import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTalosconfig, writeTalosconfig } from "#config";
import { at, manualClock, silentLogger, systemRandom } from "#runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filePublisher } from "../../../src/apps/node/published-files.ts";
import { wipe } from "../../../src/apps/node/wipe.ts";

let stateDir: string;
let pkiDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "trustplane-wipe-"));
  pkiDir = join(stateDir, "pki");
});
afterEach(() => rm(stateDir, { recursive: true }));

const publish = (owner: string, directory: string) =>
  filePublisher({
    ...{ root: pkiDir, owner, adopt: false, log: silentLogger },
    ...{ clock: manualClock(at("2030-01-01")), random: systemRandom },
  })(directory, { "ca.crt": "authority\n", "server.key": "secret\n" });
const wiped = (contextName: string | undefined = "demo") =>
  wipe({ stateDir, pkiDir, nodeId: "node-one", contextName });
const context = { endpoints: ["127.0.0.5"] };
const writeContexts = (...names: string[]) =>
  writeFile(
    join(stateDir, "talosconfig"),
    writeTalosconfig({
      context: "demo",
      contexts: Object.fromEntries(names.map((name) => [name, context])),
    }),
  );

test("database, talosconfig and published files go, the audit log stays", async () => {
  for (const end of ["", "-wal", "-shm"]) await writeFile(join(stateDir, `state.db${end}`), "");
  await mkdir(join(stateDir, "audit"));
  await writeContexts("demo");
  for (const directory of ["talos", "kubernetes", "kubernetes/pki", "kubernetes/pki/etcd"])
    await publish("node-one", directory);
  await wiped();
  expect(await readdir(stateDir)).toEqual(["audit"]);
});

test("what others put beside the files stays, and so does what another node published", async () => {
  await publish("node-one", "talos");
  await writeFile(join(pkiDir, "talos", "notes.txt"), "mine\n");
  await publish("node-two", "kubernetes/pki");
  await wiped();
  expect(await readdir(join(pkiDir, "talos"))).toEqual(["notes.txt"]);
  expect(await readFile(join(pkiDir, "kubernetes/pki/server.key"), "utf8")).toBe("secret\n");
});

test("contexts of other clusters stay in the talosconfig, and one of them is in use", async () => {
  await writeContexts("demo", "home");
  await wiped();
  expect(readTalosconfig(await readFile(join(stateDir, "talosconfig"), "utf8"))).toMatchObject({
    context: "home",
    contexts: { home: context },
  });
});

test("a talosconfig that is not this node's to write, or is none, stays", async () => {
  await writeContexts("demo");
  await wipe({ stateDir, pkiDir, nodeId: "node-one", contextName: undefined });
  expect(existsSync(join(stateDir, "talosconfig"))).toBe(true);
  await writeFile(join(stateDir, "talosconfig"), "{");
  await wiped();
  expect(await readFile(join(stateDir, "talosconfig"), "utf8")).toBe("{");
});

test("what the file system refuses is named, with what is left to do", async () => {
  await mkdir(join(stateDir, "state.db"));
  await writeFile(join(stateDir, "state.db", "file"), "");
  await expect(wiped()).rejects.toMatchObject({
    code: "ERR_WIPE",
    message: expect.stringContaining(`what is left in ${stateDir} and`) as string,
  });
});
