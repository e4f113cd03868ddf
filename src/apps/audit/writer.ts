/** Appends lines to the file that grows, and makes room for the next file when it is full. */
import { readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { rfc3339Milliseconds } from "#runtime";
import type { AuditLogOptions } from "./audit-log.ts";
import { CURRENT, fullFiles, fullName, openCurrent, syncDirectory } from "./files.ts";
import { chained, note, readLine, textOf, type AuditEntry, type Head } from "./line.ts";

/** Where the log has come to. */
export interface Place {
  file: FileHandle;
  head: Head;
  /** Of the file that grows. */
  firstSeq: number;
  bytes: number;
}

const BYTES_MAX = 8 * 1024 * 1024;
const FULL_MAX = 16;
/** Written at once. */
const PIECE_BYTES_MAX = 1024 * 1024;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** The open log; made with where it ended. */
export class Writer {
  readonly #options: AuditLogOptions;
  readonly #place: Place;
  readonly #open: typeof openCurrent;
  #waiting: AuditEntry[] = [];
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #isClosed = false;
  /** Lines that could not be written since one could. */
  #lost = 0;
  /** Half of what could not be written may be there. */
  #isTorn = false;
  /** The file that grows has its name as a full one already. */
  #isRenamed = false;

  constructor(options: AuditLogOptions, place: Place, open = openCurrent) {
    this.#options = options;
    this.#open = open;
    this.#place = place;
  }

  record(entry: AuditEntry): Promise<void> {
    if (this.#isClosed) {
      this.#tellLost([entry], "ERR_CLOSED");
      return Promise.resolve();
    }
    this.#waiting.push(entry);
    this.#next ??= (this.#writing ?? Promise.resolve()).then(() => {
      this.#writing = this.#next;
      this.#next = undefined;
      return this.#write(this.#waiting.splice(0));
    });
    return this.#next;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#next;
    await this.#writing;
    if (this.#lost > 0) await this.#write([]);
    await this.#place.file.close();
  }

  async #write(entries: readonly AuditEntry[]): Promise<void> {
    for (let at = 0; at < entries.length || (this.#lost > 0 && at === 0);) {
      const count = this.#pieceFrom(entries, at);
      await this.#writePiece(entries.slice(at, at + count));
      at += Math.max(count, 1);
    }
    if (this.#place.bytes >= (this.#options.fileBytesMax ?? BYTES_MAX)) await this.#rotate();
  }

  /** How many entries go together: one at least. */
  #pieceFrom(entries: readonly AuditEntry[], from: number): number {
    let [at, bytes] = [from, 0];
    while (at < entries.length && (at === from || bytes < PIECE_BYTES_MAX))
      bytes += JSON.stringify(entries[at++]).length;
    return at - from;
  }

  /** Together, or, where that fails, as many of them as there is room for. */
  async #writePiece(entries: readonly AuditEntry[]): Promise<void> {
    const problem = await this.#append(entries);
    if (problem === undefined) return;
    for (const [at, entry] of entries.entries()) {
      const error = await this.#append([entry]);
      if (error === undefined) continue;
      this.#tellLost(entries.slice(at), codeOf(problem));
      return;
    }
  }

  /** @returns what went wrong, when nothing was written */
  async #append(entries: readonly AuditEntry[]): Promise<unknown> {
    const place = this.#place;
    const { bytes } = place;
    const told = this.#lost > 0 ? [this.#lossNote(), ...entries] : entries;
    let { head } = place;
    try {
      if (this.#isTorn) await place.file.truncate(bytes);
      this.#isTorn = false;
      const lines = told.map((entry) => {
        const line = chained(entry, head);
        head = line;
        return textOf(line);
      });
      const text = Buffer.from(lines.join(""));
      await place.file.appendFile(text);
      await place.file.datasync();
      Object.assign(place, { head, bytes: bytes + text.length });
      this.#lost = 0;
      return undefined;
    } catch (error) {
      this.#isTorn = true;
      return error ?? new Error("unknown");
    }
  }

  #tellLost(entries: readonly AuditEntry[], code: string | undefined): void {
    this.#lost += entries.length;
    const methods = [...new Set(entries.map(({ method }) => method))];
    this.#options.log.error(
      { code, count: entries.length, methods },
      "calls could not be put on the audit log",
    );
  }

  #lossNote(): AuditEntry {
    const count = this.#lost;
    const reason = `${count} ${count === 1 ? "line" : "lines"} could not be written before this one`;
    return note(this.#now(), { outcome: "LOST", resource: "", reason, count });
  }

  #now = (): string => rfc3339Milliseconds(this.#options.clock.now());

  /** Where that fails the file that is there goes on growing, and the next write tries again. */
  async #rotate(): Promise<void> {
    const { directory, log } = this.#options;
    const place = this.#place;
    try {
      if (!this.#isRenamed)
        await rename(join(directory, CURRENT), join(directory, fullName(place.firstSeq)));
      this.#isRenamed = true;
      const file = await this.#open(directory);
      this.#isRenamed = false;
      const former = place.file;
      Object.assign(place, { file, firstSeq: place.head.seq + 1, bytes: 0 });
      await former.close();
      await syncDirectory(directory);
      await this.#drop();
    } catch (error) {
      log.error({ code: codeOf(error) }, "the audit log cannot be rotated");
    }
  }

  /** Drops full files that there is no more room for, once it is on record what stood in them. */
  async #drop(): Promise<void> {
    const { directory, fullFilesMax = FULL_MAX } = this.#options;
    const full = await fullFiles(directory);
    for (const path of full.slice(0, Math.max(0, full.length - fullFilesMax))) {
      const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
      const [first, last] = [lines.at(0), lines.at(-1)].map((text) => readLine(text ?? ""));
      const entry = note(this.#now(), {
        outcome: "DROPPED",
        resource: `lines ${first?.seq ?? "?"} to ${last?.seq ?? "?"}`,
        reason: `their file made room; the last one was ${last?.seq ?? "?"}:${last?.hash ?? "?"}`,
        count: lines.length,
      });
      const error = await this.#append([entry]);
      if (error !== undefined) throw error as Error; // it can wait
      await rm(path);
    }
    await syncDirectory(directory);
  }
}
