/**
 * The API of a node over a memory store of notes; bench/go/api.go is Go's.
 *
 *   node --conditions=trustplane-src bench/ours/api-server.ts '{"directory":"/tmp/x","items":1000}'
 *
 * At each SIGUSR2 it creates notes, in a namespace of their own: first `warmup`, then `count`.
 */
import { CertificateStatus } from "#resources";
import { silentLogger, systemClock } from "#runtime";
import { Namespace, registerKinds, ResourceDefinition } from "#runtime/engine";
import { openMemoryStore } from "#runtime/store";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { startApid } from "../../src/apps/apid/index.ts";
import { PLACE_FILE } from "../api.ts";
import type { Task } from "../size.ts";
import { certificateStatus } from "./certificate-status.ts";
import { Note, noteId, noteSpec } from "./note.ts";

/** After so many notes others have their turn, as on Go's side. */
const BATCH = 32;
const STATUSES = 5;

const [task = "{}"] = process.argv.slice(2);
const { directory = "", items = 0, count, warmup = 0 } = JSON.parse(task) as Task;
const pem = (name: string) => readFile(join(directory, name), "utf8");

const kinds = [Note, CertificateStatus];
const store = openMemoryStore();
const namespaces = { bench: "", secrets: "", "burst-0": "", "burst-1": "" };
await registerKinds(store, kinds, namespaces);
for (let i = 0; i < STATUSES; i++)
  await store.create(CertificateStatus, `certificate-${i}`, certificateStatus);
await create("bench", items);

const bursts = [warmup, count];
let next = 0;
process.on("SIGUSR2", () => void create(`burst-${next}`, bursts[next++] ?? 0));

const apid = await startApid({
  address: "127.0.0.1",
  port: 0,
  material: {
    ...{ key: await pem("server.key"), cert: await pem("server.crt") },
    ca: [await pem("ca.crt")],
  },
  store,
  kinds: [...kinds, ResourceDefinition, Namespace],
  clock: systemClock,
  log: silentLogger,
  ports: {
    build: { sha: "0123abc", built: "2030-01-01T00:00:00Z" },
    applyConfiguration: () => Promise.resolve({ warnings: [], modeDetails: "" }),
    issueClientConfiguration: () => Promise.reject(new Error("not part of this")),
  },
});
process.once("SIGTERM", () => void apid.close().then(() => process.exit()));
const place = join(directory, PLACE_FILE);
await writeFile(
  `${place}~`,
  JSON.stringify({ address: `127.0.0.1:${apid.port}`, pid: process.pid }),
);
await rename(`${place}~`, place);

async function create(namespace: string, wanted: number): Promise<void> {
  for (let i = 0; i < wanted; i += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, wanted - i) }, (_, k) => i + k);
    await Promise.all(batch.map((k) => store.create(Note, noteId(k), noteSpec(k), { namespace })));
    await turn();
  }
}
