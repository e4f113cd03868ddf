/** Commits the writes of units, and knows their echoes from the changes of others. */
import { AlreadyExistsError, OwnerConflictError, type Pointer } from "../errors.ts";
import { ConflictError, NotFoundError } from "../errors.ts";
import type { Resource } from "../resource.ts";
import type { CoreStore, WatchEvent, Write } from "../store/store.ts";
import { keyOf, type Unit } from "./lane.ts";

/** What was thrown because a snapshot was out of date. */
const races = new WeakSet<Error>();

/** What one unit wants to be written: all of it, or nothing. */
export interface Commission {
  readonly unit: Unit;
  /** In the order in which a store that is not atomic does them. */
  readonly writes: readonly Write[];
  /** Those of them whose changes the unit wants to see itself. */
  readonly unheard?: readonly Write[];
}

/** The commits of an engine. */
export class Committer {
  readonly #core: CoreStore;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(core: CoreStore) {
    this.#core = core;
  }

  /**
   * Applies the writes of runs, in one commit. A change of the same resources that was not made by
   * it marks the unit as stale. In a store that is not atomic the writes before one that fails stay:
   * the next run finds them.
   *
   * @throws {OwnerConflictError} when somebody else owns what is to be created
   */
  async commit(commissions: readonly Commission[]): Promise<void> {
    for (const { unit, writes, unheard } of commissions) {
      unit.echoes = echoesOf(writes, unheard);
      unit.lane.tally.writes += writes.length;
    }
    const [only] = commissions;
    const all =
      only !== undefined && commissions.length === 1
        ? only.writes
        : commissions.flatMap(({ writes }) => writes);
    const pending = this.#core.atomic ? this.#core.commit(all) : this.#oneByOne(all);
    this.#pending.add(pending);
    try {
      const stored = await pending;
      let place = 0;
      for (const { unit, writes } of commissions) {
        if (!areEchoes(unit, writes, stored, place)) unit.isStale = true;
        place += writes.length;
      }
    } catch (error) {
      for (const { unit } of commissions)
        if ([...(unit.echoes?.values() ?? [])].some((event) => event !== undefined))
          unit.isStale = true;
      const explained = only === undefined ? error : await this.#explained(only.unit, error);
      if (isOutOfDate(explained)) races.add(explained);
      throw explained;
    } finally {
      for (const { unit } of commissions) unit.echoes = undefined;
      this.#pending.delete(pending);
    }
  }

  /** Resolves when no commit is in flight. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  async #oneByOne(writes: readonly Write[]): Promise<readonly Resource[]> {
    const stored: Resource[] = [];
    for (const write of writes) stored.push(...(await this.#core.commit([write])));
    return stored;
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

function echoesOf(
  writes: readonly Write[],
  unheard: readonly Write[] = [],
): Map<string, WatchEvent | undefined> {
  const echoes = new Map<string, WatchEvent | undefined>();
  for (const write of writes)
    if (unheard.length === 0 || !unheard.includes(write))
      echoes.set(keyOf(pointerOf(write)), undefined);
  return echoes;
}

/** Whether the last that was heard of each resource is the last that was written to it. */
function areEchoes(
  { echoes }: Unit,
  writes: readonly Write[],
  stored: readonly Resource[],
  offset: number,
): boolean {
  const isSingle = echoes?.size === writes.length;
  return [...(echoes ?? [])].every(([key, event], order) => {
    if (event === undefined) return true;
    const place = isSingle
      ? order
      : writes.findLastIndex((write) => keyOf(pointerOf(write)) === key);
    return isEcho(event, writes[place], stored[offset + place]);
  });
}

/** The last that was heard is what was written. */
function isEcho(
  event: WatchEvent,
  write: Write | undefined,
  stored: Resource | undefined,
): boolean {
  if (!("resource" in event)) return true;
  if (write?.op === "destroy" || event.type === "destroyed")
    return write?.op === "destroy" && event.type === "destroyed";
  return event.resource.metadata.version === stored?.metadata.version;
}
