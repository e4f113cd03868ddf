import {
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
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
import { GENESIS } from "../../../src/apps/audit/line.ts";
import { Writer } from "../../../src/apps/audit/writer.ts";
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
  const { head } = await verifyAudit(directory);
  await record(1);
  const aside = "audit-damaged-2030-01-02T000000Z";
  expect(await verifyAudit(directory)).toMatchObject({
    lines: 2,
    firstSeq: 1,
    problems: [expect.stringContaining(`${aside}: an earlier log that was changed`) as string],
  });
  expect(JSON.parse((await texts())[0] ?? "")).toMatchObject({
    outcome: "DAMAGED",
    resource: aside,
    reason: `the log before was changed; the last line of it that is whole is 2:${head.hash}`,
  });
  expect(logged.at(-1)?.message).toMatch(/line is not what was written; it is kept in/);
  await writeFile(current(), "{}\n", { flag: "a" }); // again, within the second
  await record(1);
  expect(await readdir(root)).toEqual(["audit", aside, `${aside}-2`]);
});

test("a full file makes room for the next, and the oldest are dropped", async () => {
  for (let run = 0; run < 6; run++) await record(2, { fileBytesMax: 600, fullFilesMax: 3 });
  expect(await readdir(directory)).toEqual([
    "audit-000000000007.log",
    "audit-000000000009.log",
    "audit-000000000012.log",
    "audit.log",
  ]);
  expect(await verifyAudit(directory)).toMatchObject({ firstSeq: 7, problems: [] });
  const lines = [];
  for await (const { line } of auditLines(directory))
    if (line?.outcome === "DROPPED") lines.push(line);
  expect(lines.map(({ resource }) => resource)).toEqual(
    ["lines 1 to 2", "lines 3 to 4", "lines 5 to 6"].slice(3 - lines.length),
  );
  expect(lines.at(-1)?.reason).toMatch(/the last one was 6:[0-9a-f]{64}$/);
});

test("a head whose line was dropped cannot be held against the log, and that is said", async () => {
  await record(1);
  const { head } = await verifyAudit(directory);
  for (let run = 0; run < 3; run++) await record(2, { fileBytesMax: 600, fullFilesMax: 1 });
  const { problems, notes } = await verifyAudit(directory, head);
  expect(problems).toEqual([]);
  expect(notes).toEqual([expect.stringContaining("line 1 was dropped with its file")]);
});

test("a line has its limits, whatever is put on record", async () => {
  await using audit = await open();
  const long = '\u0000"é'.repeat(1024 * 1024);
  const many = Array.from({ length: 5000 }, (_, n) => `10.0.0.${n}`);
  const one = { ...entry(long), peer: long, subject: long, reason: long, nodes: many, roles: many };
  await Promise.all(Array.from({ length: 20 }, () => audit.record(one)));
  const lines = await texts();
  expect(lines).toHaveLength(20);
  for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThan(16 * 1024);
  const line = JSON.parse(lines[0] ?? "") as AuditEntry;
  expect(line.nodes).toHaveLength(33);
  expect(line.nodes.at(-1)).toBe("… 4968 more");
  expect(line.resource).toHaveLength(1024);
  expect((await verifyAudit(directory)).problems).toEqual([]);
});

test("lines that a full disk took are counted in the log as soon as there is room", async () => {
  await mkdir(directory);
  const full = await openFile("/dev/full", "a");
  const file = await openFile(current(), "a");
  const place = { file: full, head: GENESIS, firstSeq: 1, bytes: 0 };
  const writer = new Writer({ directory, log, clock: manualClock(at("2030-01-02")) }, place);
  await Promise.all([1, 2, 3].map((n) => writer.record(entry(`secret-${n}`))));
  expect(logged.at(-1)).toMatchObject({ code: "ENOSPC", count: 3 });
  expect(JSON.stringify(logged)).not.toContain("secret-");
  place.file = file;
  await writer.record(entry("/after"));
  await writer.close();
  await full.close();
  const lines = (await texts()).map((text) => JSON.parse(text) as AuditEntry);
  expect(lines).toMatchObject([
    { outcome: "LOST", count: 3, reason: "3 lines could not be written before this one" },
    { resource: "/after" },
  ]);
  const { problems, notes } = await verifyAudit(directory);
  expect(problems).toEqual([]);
  expect(notes).toEqual([expect.stringContaining("3 lines could not be written")]);
});

test("what comes when the log is closed is told to the node's log", async () => {
  const audit = await open();
  await audit.close();
  await audit.record(entry("/late"));
  expect(logged.at(-1)).toMatchObject({ code: "ERR_CLOSED", count: 1 });
});

test("a next file that could not be opened is opened when the next line comes", async () => {
  await mkdir(directory);
  const file = await openFile(current(), "a");
  const place = { file, head: GENESIS, firstSeq: 1, bytes: 0 };
  const options = { directory, log, clock: manualClock(at("2030-01-02")), fileBytesMax: 1 };
  const opened: string[] = [];
  const writer = new Writer(options, place, async (where) => {
    if (opened.push(where) === 1) throw Object.assign(new Error(), { code: "EMFILE" });
    return openFile(join(where, "audit.log"), "a");
  });
  for (const resource of ["/one", "/two", "/three"]) await writer.record(entry(resource));
  await writer.close();
  expect(await readdir(directory)).toEqual([
    "audit-000000000001.log",
    "audit-000000000003.log",
    "audit.log",
  ]);
  expect(await verifyAudit(directory)).toMatchObject({ lines: 3, problems: [] });
});
