/**
 * The disk of a simulated machine: what is committed to the database that stands on it outlives the
 * processes, and commits fail, take long or are lost when they are told to.
 */
import { loadMemoryDatabases, type MemoryDatabase } from "../store/sqlite/database.ts";

/** Opens databases in memory at once. */
export type OpenDatabase = Awaited<ReturnType<typeof loadMemoryDatabases>>;

/** A point of a commit at which a machine can go down. */
export type CrashPoint = "before commit" | "after commit";

/** What a disk does to the process that writes to it. */
export interface DiskUser {
  readonly isAlive: () => boolean;
  /** The machine goes down now. */
  readonly crash: () => void;
  /** A commit takes so many milliseconds, in which the process can do nothing else. */
  readonly wait: (duration: number) => void;
  /** A commit did not go well. */
  readonly fails: () => void;
  /** A commit is durable, and nobody knows yet. */
  readonly committed: () => void;
}

/** Ends the work of a process that has been killed; nobody ever hears of it. */
class KilledError extends Error {}

const PAGES_MAX = 0xfffffffe;

/** A disk with one database. */
export class Disk {
  readonly #open: OpenDatabase;
  #image: Uint8Array | undefined;
  #database: MemoryDatabase | undefined;
  #kept: Uint8Array | undefined;
  #isFull = false;
  #failing: { untouched: number; left: number; readonly took: () => void } | undefined;
  #slow: { readonly for: number; readonly took: () => void } | undefined;
  #crash: { readonly point: CrashPoint; readonly took: () => void } | undefined;

  constructor(open: OpenDatabase) {
    this.#open = open;
  }

  /** Whether nothing was ever stored. */
  get isEmpty(): boolean {
    return this.#image === undefined && this.#database === undefined;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** A full one takes what fits into the room that its database has inside, and nothing more. */
  set isFull(isFull: boolean) {
    this.#isFull = isFull;
    this.#limit();
  }

  /** Opens the database for a process. */
  open(user: DiskUser): MemoryDatabase {
    const closes = (image: Uint8Array) => {
      this.#image = image;
      this.#database = undefined;
    };
    const hooks = {
      begins: () => {
        this.#mayWrite(user);
      },
      ends: () => {
        this.#ends(user);
      },
      committed: () => {
        user.committed();
        this.#crashesAt("after commit", user);
      },
      closes,
    };
    this.#database = this.#open(hooks, this.#image);
    this.#limit();
    return this.#database;
  }

  /** The process is gone: what it had committed is what there is. */
  close(): void {
    this.#database?.close();
  }

  /** What is committed from now on is not there after the next loss. */
  startLosing(): void {
    this.#kept ??= this.#database?.image() ?? this.#image;
  }

  /** Takes back what was committed since; the database has to be closed. */
  lose(): void {
    this.#image = this.#kept ?? this.#image;
    this.#kept = undefined;
  }

  /**
   * So many of the next commits go well, then so many fail.
   *
   * @param took called when one does, here and below
   */
  failCommits(untouched: number, left: number, took: () => void): void {
    this.#failing = { untouched, left, took };
  }

  /** So long the next commit takes; of two that are asked for the longer one. */
  slowCommit(duration: number, took: () => void): void {
    if (duration > (this.#slow?.for ?? 0)) this.#slow = { for: duration, took };
  }

  /** The machine goes down in the next commit. */
  crashAt(point: CrashPoint, took: () => void): void {
    this.#crash = { point, took };
  }

  /** From now on nothing is wrong with it. */
  heal(): void {
    this.#failing = this.#slow = this.#crash = this.#kept = undefined;
    this.isFull = false;
  }

  #limit(): void {
    const pages = this.#isFull ? Number(this.#database?.pragma("page_count")) : PAGES_MAX;
    this.#database?.pragma(`max_page_count = ${pages}`);
  }

  #mayWrite(user: DiskUser): void {
    if (!user.isAlive()) throw new KilledError();
    const slow = this.#slow;
    this.#slow = undefined;
    if (slow === undefined) return;
    slow.took();
    user.wait(slow.for);
  }

  #ends(user: DiskUser): void {
    this.#crashesAt("before commit", user);
    const failing = this.#failing;
    if (failing === undefined) return;
    if (failing.untouched > 0) {
      failing.untouched--;
      return;
    }
    failing.took();
    if (--failing.left === 0) this.#failing = undefined;
    user.fails();
    throw Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_FSYNC" });
  }

  #crashesAt(point: CrashPoint, user: DiskUser): void {
    if (this.#crash?.point !== point) return;
    this.#crash.took();
    this.#crash = undefined;
    user.crash();
    throw new KilledError();
  }
}
