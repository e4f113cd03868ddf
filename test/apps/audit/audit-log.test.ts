import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { at, manualClock } from "#runtime";
import {
  auditLines,
  openAuditLog,
  verifyAudit,
  type AuditEntry,
  type AuditLogOptions,
} from "../../../src/apps/audit/index.ts";
import { recordingLogger } from "../apid/running-node.ts";

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "trustplane-audit-"));
  directory = join(root, "audit");
});
afterEach(() => rm(root, { recursive: true }));

const entry = (resource: string): AuditEntry => ({
  time: "2030-01-01T00:00:00.000Z",
  peer: "127.0.0.1:4000",
  fingerprint: "ab".repeat(32),
  subject: "O = os:admin",
  roles: ["os:admin"],
  method: "/machine.MachineService/Read",
  nodes: [],
  resource,
  outcome: "OK",
  reason: "",
});

const { log, lines: logged } = recordingLogger();
const open = (more: Partial<AuditLogOptions> = {}) =>
  openAuditLog({ directory, log, clock: manualClock(at("2030-01-02")), ...more });

async function record(count: number, more: Partial<AuditLogOptions> = {}): Promise<void> {
  await using audit = await open(more);
  await Promise.all(Array.from({ length: count }, (_, n) => audit.record(entry(`/file-${n}`))));
}

const current = () => join(directory, "audit.log");
const texts = async () => (await readFile(current(), "utf8")).trimEnd().split("\n");

test("lines are chained, over restarts too, and only the owner may read them", async () => {
  await record(3);
  await record(2);
  expect(await verifyAudit(directory)).toMatchObject({ lines: 5, firstSeq: 1, problems: [] });
  const resources = [];
  for await (const { line } of auditLines(directory)) resources.push(line?.resource);
  expect(resources).toEqual(["/file-0", "/file-1", "/file-2", "/file-0", "/file-1"]);
  expect((await stat(current())).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

test.each<readonly [string, (lines: string[]) => string[], RegExp]>([
  [
    "changed",
    ([a = "", b = "", c = ""]) => [a, b.replace("file-1", "file-9"), c],
    /:2: the line was/,
  ],
  ["left out", ([a = "", , c = ""]) => [a, c], /:2: line 3 stands after line 1/],
  ["moved", ([a = "", b = "", c = ""]) => [b, a, c], /:2: line 1 stands after line 2/],
  ["added", (lines) => [...lines, "{}"], /:4: the line was changed/],
])("a line that was %s is found", async (_, change, problem) => {
  await record(3);
  await writeFile(current(), `${change(await texts()).join("\n")}\n`);
  expect((await verifyAudit(directory)).problems[0]).toMatch(problem);
});

test("a line that was written anew, with its hash, does not fit the next one", async () => {
  await record(1);
  const [forged = ""] = await texts();
  await rm(current());
  await record(3);
  const [first = "", ...others] = await texts();
  expect(first).toBe(forged); // same entry, same chain
  await rm(directory, { recursive: true });
  await using audit = await open();
  await audit.record(entry("/another"));
  const [another = ""] = await texts();
  await writeFile(current(), `${[another, ...others].join("\n")}\n`);
  expect((await verifyAudit(directory)).problems[0]).toMatch(/line 2 does not belong/);
});

test("lines that are cut off at the end are missed by who knows the head", async () => {
  await record(3);
  const { head } = await verifyAudit(directory);
  await writeFile(current(), `${(await texts()).slice(0, 2).join("\n")}\n`);
  expect((await verifyAudit(directory)).problems).toEqual([]);
  expect((await verifyAudit(directory, head)).problems).toEqual([
    `line 3 with the hash ${head.hash} is not in the log`,
  ]);
});

test("half a line, as a crash leaves it, is cut off at the next start", async () => {
  await record(2);
  const text = await readFile(current(), "utf8");
  await writeFile(current(), text.slice(0, -20));
  await record(1);
  expect(await verifyAudit(directory)).toMatchObject({ lines: 2, problems: [] });
});

test("a log that ends in what was never written is put aside, and told of", async () => {
  await record(2);
  await writeFile(current(), '{"seq":3}\n', { flag: "a" });
  await record(1);
  expect(await verifyAudit(directory)).toMatchObject({ lines: 1, firstSeq: 1, problems: [] });
  expect(await readdir(root)).toEqual(["audit", "audit-damaged-2030-01-02T000000Z"]);
  expect(logged.at(-1)?.message).toMatch(/its last line is not what was written; it is kept in/);
});

test("a full file makes room for the next, and the oldest are dropped", async () => {
  for (let run = 0; run < 6; run++) await record(2, { fileBytesMax: 600, fullFilesMax: 3 });
  expect(await readdir(directory)).toEqual([
    "audit-000000000007.log",
    "audit-000000000009.log",
    "audit-000000000011.log",
    "audit.log",
  ]);
  expect(await verifyAudit(directory)).toMatchObject({ lines: 6, firstSeq: 7, problems: [] });
});

test("what cannot be written is told to the node's log, and the chain goes on without it", async () => {
  await using audit = await open({ fileBytesMax: 1 });
  await audit.record(entry("/one"));
  await rm(directory, { recursive: true }); // the next file cannot be made
  await audit.record(entry("/two"));
  expect(logged.at(-1)?.message).toBe("the audit log cannot be rotated");
});
