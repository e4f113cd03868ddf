/** What a watch can be asked for, on any store (cosi.md §2.6). */
import type { WatchKindOptions, WatchOptions } from "./store.ts";

/**
 * Refuses what contradicts itself.
 *
 * @throws {TypeError} for two beginnings, or a number of tail events that is none
 */
export function checkWatchOptions(options: WatchOptions & WatchKindOptions): void {
  const { bootstrapContents = false, tailEvents = 0, startFromBookmark } = options;
  if (!Number.isSafeInteger(tailEvents) || tailEvents < 0)
    throw new TypeError(`${tailEvents} is not a number of tail events`);
  const beginnings = [bootstrapContents, tailEvents > 0, startFromBookmark !== undefined];
  if (beginnings.filter(Boolean).length > 1)
    throw new TypeError("a watch begins with the contents, with tail events or at a bookmark");
}
