/** The files of an audit log: one that grows, and full ones, each named by its first line. */
import { open, readdir, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Where a node keeps its audit log. */
export const auditDirectory = (stateDir: string): string => join(stateDir, "audit");

/** The file that grows. */
export const CURRENT = "audit.log";

/** What a full file is called from then on. */
export const fullName = (firstSeq: number): string =>
  `audit-${String(firstSeq).padStart(12, "0")}.log`;

const FULL = /^audit-\d{12}\.log$/;

/** Full ones, the oldest first. */
export const fullFiles = async (directory: string): Promise<string[]> =>
  (await readdir(directory))
    .filter((name) => FULL.test(name))
    .sort()
    .map((name) => join(directory, name));

/** All there are, the oldest first. */
export async function auditFiles(directory: string): Promise<string[]> {
  const full = await fullFiles(directory);
  const hasCurrent = (await readdir(directory)).includes(CURRENT);
  return hasCurrent ? [...full, join(directory, CURRENT)] : full;
}

/** Opens the file that grows, for appending. */
export const openCurrent = (directory: string): Promise<FileHandle> =>
  open(join(directory, CURRENT), "a", 0o600);

/** Puts names that were made, changed or removed in a directory on disk. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  await handle.sync().finally(() => handle.close());
}

const damagedPrefix = (directory: string): string => `${basename(directory)}-damaged-`;

/** Logs that were put aside, beside the one there is. */
export const damagedLogs = async (directory: string): Promise<string[]> =>
  (await readdir(dirname(directory)))
    .filter((name) => name.startsWith(damagedPrefix(directory)))
    .sort()
    .map((name) => join(dirname(directory), name));

/** Where to put a log aside; nothing is there yet. */
export async function damagedDirectory(directory: string, moment: string): Promise<string> {
  const taken = new Set(await damagedLogs(directory));
  const wanted = join(dirname(directory), `${damagedPrefix(directory)}${moment}`);
  for (let path = wanted, n = 2; ; path = `${wanted}-${n++}`) if (!taken.has(path)) return path;
}
