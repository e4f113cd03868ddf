/** The files of an audit log: one that grows, and full ones, each named by its first line. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

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
