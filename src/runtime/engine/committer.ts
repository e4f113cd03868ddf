/** Commits the writes of units, and knows their echoes from the changes of others. */
import { AlreadyExistsError, OwnerConflictError, type Pointer } from "../errors.ts";
import { ConflictError, NotFoundError } from "../errors.ts";
import type { Resource } from "../resource.ts";
import type { CoreStore, WatchEvent, Write } from "../store/store.ts";
import { keyOf, type Unit } from "./lane.ts";

/** What was thrown because a snapshot was out of date. */
const races = new WeakSet<Error>();

/** The commits of an engine. */
export class Committer {
  readonly #core: CoreStore;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(core: CoreStore) {
    this.#core = core;
  }

  /**
   * Applies the writes of one run. A change of the same resources that was not made by it marks the
   * unit as stale.
   *
   * @throws {OwnerConflictError} when somebody else owns what is to be created
   */
  async commit(unit: Unit, writes: readonly Write[]): Promise<void> {
    const last = new Map(writes.map((write, place) => [keyOf(pointerOf(write)), place]));
    const echoes = new Map<string, WatchEvent | undefined>();
    for (const key of last.keys()) echoes.set(key, undefined);
    unit.echoes = echoes;
    const pending = this.#core.commit(writes);
    this.#pending.add(pending);
    try {
      const stored = await pending;
      for (const [key, place] of last)
        if (!isEcho(echoes.get(key), writes[place], stored[place])) unit.isStale = true;
    } catch (error) {
      if ([...echoes.values()].some((event) => event !== undefined)) unit.isStale = true;
      const explained = await this.#explained(unit, error);
      if (isOutOfDate(explained)) races.add(explained);
      throw explained;
    } finally {
      unit.echoes = undefined;
      this.#pending.delete(pending);
    }
  }

  /** Resolves when no commit is in flight. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  /** What exists already may belong to somebody else, and then trying again is of no use. */
  async #explained({ lane }: Unit, error: unknown): Promise<unknown> {
    if (!(error instanceof AlreadyExistsError)) return error;
    const owner = (await this.#core.get(error.pointer))?.metadata.owner;
    return owner === undefined || owner === lane.controller.name
      ? error
      : new OwnerConflictError(error.pointer, owner);
  }
}

/** Whether a commit threw this as its snapshot was out of date: with a fresh one it may go. */
export const isRace = (error: unknown): boolean => error instanceof Error && races.has(error);

const isOutOfDate = (error: unknown): error is Error =>
  (error instanceof ConflictError || error instanceof NotFoundError) &&
  !(error instanceof OwnerConflictError);

const pointerOf = (write: Write): Pointer =>
  write.op === "destroy" ? write.pointer : write.resource.metadata;

/** The last that was heard is what was written, or nothing was heard yet. */
function isEcho(
  event: WatchEvent | undefined,
  write: Write | undefined,
  stored: Resource | undefined,
): boolean {
  if (event === undefined || !("resource" in event)) return true;
  if (write?.op === "destroy" || event.type === "destroyed")
    return write?.op === "destroy" && event.type === "destroyed";
  return event.resource.metadata.version === stored?.metadata.version;
}
