import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTalosconfig, writeTalosconfig } from "#config";
import { at, manualClock, silentLogger, systemRandom } from "#runtime";
import { openSqliteStore } from "#runtime/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filePublisher } from "../../../src/apps/node/published-files.ts";
import { finishReset } from "../../../src/apps/node/finish-reset.ts";
import { nextOf } from "../../../src/apps/node/next-start.ts";
import { markedReset, markReset } from "../../../src/apps/node/reset-marker.ts";
import { wipe } from "../../../src/apps/node/wipe.ts";
import { recordingLogger } from "../apid/running-node.ts";

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

test("what cannot be taken away keeps nothing else, and the node stays marked until it is gone", async () => {
  const remains = { stateDir, pkiDir, nodeId: "node-one", contextName: "demo" };
  await markReset(remains);
  expect(await markedReset(stateDir)).toEqual(remains);
  await writeFile(join(stateDir, "state.db"), "keys");
  await writeContexts("demo");
  await mkdir(pkiDir);
  await writeFile(join(pkiDir, "talos"), "no directory");
  await mkdir(join(stateDir, "state.db-wal", "in the way"), { recursive: true });
  await expect(wiped()).rejects.toMatchObject({ code: "ERR_WIPE" });
  expect((await readdir(stateDir)).sort()).toEqual(["pki", "reset.json", "state.db-wal"]);
  await rm(join(stateDir, "state.db-wal"), { recursive: true });
  await rm(join(pkiDir, "talos"));
  await wiped();
  expect(await readdir(stateDir)).toEqual([]);
  expect(await markedReset(stateDir)).toBeUndefined();
});

test("a start finishes a wipe that was cut short, unless a node runs there", async () => {
  const { log, lines } = recordingLogger();
  const world = { clock: manualClock(at("2030-01-01")), random: systemRandom, log };
  await finishReset(stateDir, world);
  expect(lines).toEqual([]);
  await markReset({ stateDir, pkiDir, nodeId: "node-one", contextName: undefined });
  await publish("node-one", "talos");
  const path = join(stateDir, "state.db");
  const running = await openSqliteStore({ path, kinds: [], ...world });
  await expect(finishReset(stateDir, world)).rejects.toThrow("another node runs on the state");
  await running.close();
  await finishReset(stateDir, world);
  expect(await readdir(stateDir)).toEqual([]);
  expect(JSON.stringify(lines)).toContain("its wipe was cut short");
});

test("what is said of files that stand there is not said of those after a reset", () => {
  const options = {
    ...{ configFiles: [], stateDir, apiAddress: "127.0.0.5", apiPort: 50_000 },
    ...{ configOverwrite: false, adopt: true },
  };
  expect(nextOf({ name: "reset", actorId: "", beginsAnew: true }, options)).toMatchObject({
    ...{ adopt: false, maintenance: true },
  });
  expect(nextOf({ name: "reboot", actorId: "" }, options)).toMatchObject({ adopt: true });
});

test("a talosconfig half written or put aside holds keys, and goes", async () => {
  for (const end of [".new", ".damaged", ".damaged-2", ".mine"])
    await writeFile(join(stateDir, `talosconfig${end}`), "");
  await wiped();
  expect(await readdir(stateDir)).toEqual(["talosconfig.mine"]);
});

test("a PKI directory that was named for the node stays, empty", async () => {
  pkiDir = join(stateDir, "named");
  await publish("node-one", "talos");
  await wiped();
  expect(await readdir(pkiDir)).toEqual([]);
});

test("what the file system refuses is named, with what is left to do", async () => {
  await mkdir(join(stateDir, "state.db"));
  await writeFile(join(stateDir, "state.db", "file"), "");
  await expect(wiped()).rejects.toMatchObject({
    code: "ERR_WIPE",
    message: expect.stringContaining(`what is left in ${stateDir} and`) as string,
  });
});
