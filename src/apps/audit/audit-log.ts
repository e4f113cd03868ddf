/**
 * Writes the audit log: a JSON line each, chained by hash, on disk before the call that it is about is
 * answered. Lines that come while others are written share the next write.
 */
import { mkdir, readFile, rename, truncate } from "node:fs/promises";
import { basename, join } from "node:path";
import { CodedError, rfc3339, rfc3339Milliseconds, type Clock, type Logger } from "#runtime";
import { CURRENT, damagedDirectory, fullFiles, openCurrent, syncDirectory } from "./files.ts";
import { bounded } from "./limits.ts";
import { GENESIS, note, readLine, type AuditEntry, type Head } from "./line.ts";
import { Writer, type Place } from "./writer.ts";

/** What is on record was changed by somebody else. */
class AuditLogDamagedError extends CodedError {
  readonly code = "ERR_AUDIT_LOG_DAMAGED";
}

/** Where and how much. */
export interface AuditLogOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A file that has so many bytes is full; default 8 MiB. */
  readonly fileBytesMax?: number;
  /** So many full files are kept; default 16. */
  readonly fullFilesMax?: number;
}

/** An open log. */
export interface AuditLog extends AsyncDisposable {
  /**
   * Resolves when the line is on disk, cut to its limits; never rejects: what cannot be written, or
   * comes when the log is closed, is told to the node's log, for a full disk must not keep an
   * administrator from the node. How many lines that were is on record as soon as it can be.
   */
  record(entry: AuditEntry): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the log of a node, or begins it. Half a line at the end, as a crash leaves it, is cut off: what
 * it was about was never answered. A log that ends in what was never written is put aside, for nothing
 * may be chained to it; the node's log tells where, and so does the first line of the new one.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { directory } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { damage, ...place } = await found(directory).catch((error: unknown) => {
    if (!(error instanceof AuditLogDamagedError)) throw error;
    return putAside(options, error);
  });
  const file = await openCurrent(directory);
  await syncDirectory(directory);
  const writer = new Writer(options, { ...place, file });
  if (damage !== undefined) await writer.record(damage);
  const close = () => writer.close();
  return {
    record: (entry) => writer.record(bounded(entry)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Found extends Omit<Place, "file"> {
  /** What the first line tells of the log before. */
  readonly damage?: AuditEntry;
}

/** Where the log ended. */
async function found(directory: string): Promise<Found> {
  const current = join(directory, CURRENT);
  const text = await readFile(current, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const bytes = Buffer.byteLength(whole);
  if (whole !== text) await truncate(current, bytes);
  if (whole === "") {
    const head = await lastOfFull(directory);
    return { head, firstSeq: head.seq + 1, bytes };
  }
  const first = lineAt(whole.slice(0, whole.indexOf("\n")), current);
  return { head: lastIn(whole, current), firstSeq: first.seq, bytes };
}

async function lastOfFull(directory: string): Promise<Head> {
  const path = (await fullFiles(directory)).at(-1);
  return path === undefined ? GENESIS : lastIn(await readFile(path, "utf8"), path);
}

function lastIn(text: string, path: string): Head {
  const lines = text.trimEnd();
  return lineAt(lines.slice(lines.lastIndexOf("\n") + 1), path);
}

function lineAt(text: string, path: string): Head {
  const line = readLine(text);
  if (line === undefined)
    throw new AuditLogDamagedError(
      `the audit log ${path} was changed: its first or last line is not what was written`,
    );
  return line;
}

async function putAside(
  { directory, clock, log }: AuditLogOptions,
  { message }: AuditLogDamagedError,
): Promise<Found> {
  const good = await lastGood(directory);
  const aside = await damagedDirectory(directory, rfc3339(clock.now()).replaceAll(":", ""));
  await rename(directory, aside);
  await mkdir(directory, { mode: 0o700 });
  log.error({ aside }, `${message}; it is kept in ${aside}, and a new one begins`);
  const damage = note(rfc3339Milliseconds(clock.now()), {
    outcome: "DAMAGED",
    resource: basename(aside),
    reason: `the log before was changed; the last line of it that is whole is ${good.seq}:${good.hash}`,
  });
  return { head: GENESIS, firstSeq: 1, bytes: 0, damage };
}

async function lastGood(directory: string): Promise<Head> {
  let good: Head = GENESIS;
  for (const path of [...(await fullFiles(directory)), join(directory, CURRENT)]) {
    const text = await readFile(path, "utf8").catch(() => "");
    for (const line of text.split("\n")) good = readLine(line) ?? good;
  }
  return { seq: good.seq, hash: good.hash };
}
