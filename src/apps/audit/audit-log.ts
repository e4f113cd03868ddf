/**
 * Writes the audit log: a JSON line each, chained by hash, on disk before the call that it is about is
 * answered. Lines that come while others are written share the next write.
 */
import { mkdir, open, readFile, rename, rm, truncate, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, rfc3339, type Clock, type Logger } from "#runtime";
import { CURRENT, fullFiles, fullName } from "./files.ts";
import { chained, GENESIS, readLine, textOf, type AuditEntry, type Head } from "./line.ts";

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
   * Resolves when the line is on disk; never rejects: what cannot be written is told to the node's log,
   * for a full disk must not keep an administrator from the node.
   */
  record(entry: AuditEntry): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the log of a node, or begins it. Half a line at the end, as a crash leaves it, is cut off: what
 * it was about was never answered. A log that ends in what was never written is put aside, for nothing
 * may be chained to it, and the log tells where.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const { head, firstSeq, bytes } = await found(options.directory).catch((error: unknown) => {
    if (!(error instanceof AuditLogDamagedError)) throw error;
    return putAside(options, error);
  });
  const file = await openCurrent(options.directory);
  const writer = new Writer(options, { file, head, firstSeq, bytes });
  const close = () => writer.close();
  return {
    record: (entry) => writer.record(entry),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Place {
  file: FileHandle;
  head: Head;
  /** Of the file that grows. */
  firstSeq: number;
  bytes: number;
}

const BYTES_MAX = 8 * 1024 * 1024;
const FULL_MAX = 16;

const openCurrent = (directory: string): Promise<FileHandle> =>
  open(join(directory, CURRENT), "a", 0o600);

class Writer {
  readonly #options: AuditLogOptions;
  readonly #place: Place;
  #waiting: AuditEntry[] = [];
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(options: AuditLogOptions, place: Place) {
    this.#options = options;
    this.#place = place;
  }

  record(entry: AuditEntry): Promise<void> {
    this.#waiting.push(entry);
    this.#next ??= (this.#writing ?? Promise.resolve()).then(() => {
      this.#writing = this.#next;
      this.#next = undefined;
      return this.#write(this.#waiting.splice(0));
    });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#next;
    await this.#writing;
    await this.#place.file.close();
  }

  async #write(entries: readonly AuditEntry[]): Promise<void> {
    const place = this.#place;
    const { head: before, bytes } = place;
    try {
      const lines = entries.map((entry) => {
        const line = chained(entry, place.head);
        place.head = line;
        return textOf(line);
      });
      const text = Buffer.from(lines.join(""));
      await place.file.appendFile(text);
      await place.file.datasync();
      place.bytes += text.length;
    } catch (error) {
      place.head = before;
      const { code } = error as NodeJS.ErrnoException;
      for (const entry of entries)
        this.#options.log.error({ ...entry, code }, "a call could not be put on the audit log");
      await place.file.truncate(bytes).catch(() => undefined); // half of it may be there
      return;
    }
    if (place.bytes >= (this.#options.fileBytesMax ?? BYTES_MAX)) await this.#rotate();
  }

  /** Where that fails the file that is there goes on growing. */
  async #rotate(): Promise<void> {
    const { directory, fullFilesMax = FULL_MAX, log } = this.#options;
    const place = this.#place;
    try {
      await rename(join(directory, CURRENT), join(directory, fullName(place.firstSeq)));
      const file = await openCurrent(directory);
      await place.file.close();
      Object.assign(place, { file, firstSeq: place.head.seq + 1, bytes: 0 });
      const full = await fullFiles(directory);
      for (const path of full.slice(0, Math.max(0, full.length - fullFilesMax))) await rm(path);
    } catch (error) {
      log.error({ code: (error as NodeJS.ErrnoException).code }, "the audit log cannot be rotated");
    }
  }
}

/** Where the log ended. */
async function found(directory: string): Promise<Omit<Place, "file">> {
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
      `the audit log ${path} was changed: its last line is not what was written`,
    );
  return line;
}

async function putAside(
  { directory, clock, log }: AuditLogOptions,
  { message }: AuditLogDamagedError,
): Promise<Omit<Place, "file">> {
  const aside = `${directory}-damaged-${rfc3339(clock.now()).replaceAll(":", "")}`;
  await rename(directory, aside);
  await mkdir(directory, { mode: 0o700 });
  log.error({ aside }, `${message}; it is kept in ${aside}, and a new one begins`);
  return { head: GENESIS, firstSeq: 1, bytes: 0 };
}
