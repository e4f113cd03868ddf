/** A store that lives and dies with the process. */
import { systemClock, type Clock } from "../clock.ts";
import { systemRandom, type Random } from "../random.ts";
import { Collections } from "./collections.ts";
import { History, newCookie } from "./history.ts";
import { LocalStore } from "./local.ts";
import { storeOver, type Store } from "./state.ts";

/** How many changes a store remembers for bookmarks unless it is told otherwise. */
export const EVENT_LOG_DEFAULT = 1000;

/** Options of {@link openMemoryStore}. */
export interface MemoryStoreOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Tells the bookmarks of stores apart. Default: the system's. */
  readonly random?: Random;
  /** How many events bookmarks can go back, at least. Default 1000. */
  readonly eventLog?: number;
}

/** Opens a new, empty store in memory. */
export function openMemoryStore({
  clock = systemClock,
  random = systemRandom,
  eventLog = EVENT_LOG_DEFAULT,
}: MemoryStoreOptions = {}): Store {
  const history = new History({ cookie: newCookie(random), head: 0 }, eventLog);
  return storeOver(new LocalStore({ clock, collections: new Collections([], 0), history }));
}
