/** Has a reset go on to its end, whatever ends the process meanwhile. */
import type { Clock, Logger, Random } from "#runtime";
import type { Store } from "#runtime/store";
import { ownContext } from "./admin-talosconfig.ts";
import { markedReset, markReset, unmarkReset } from "./reset-marker.ts";
import type { Marker } from "./reset.ts";
import { refuseInUse } from "./state-directory.ts";
import { type Remains, wipe } from "./wipe.ts";

/** Marks the node of an open store for its wipe, and tells what there is to wipe. */
export function openMarker(node: Omit<Remains, "contextName">, store: Store) {
  const remains = async (): Promise<Remains> => ({ ...node, contextName: await ownContext(store) });
  const marker: Marker = {
    set: async () => markReset(await remains()),
    clear: () => unmarkReset(node.stateDir),
  };
  return { marker, remains };
}

/**
 * Wipes a node whose reset was cut short: it may have left its cluster, and then it is of no use.
 *
 * @throws {StateDirectoryError} when a node runs there, or the marker cannot be read
 * @throws {WipeError}
 */
export async function finishReset(
  stateDir: string,
  { log, ...world }: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
): Promise<void> {
  const remains = await markedReset(stateDir);
  if (remains === undefined) return;
  await refuseInUse(stateDir, world);
  log.warn({}, "this node was reset, and its wipe was cut short: it is finished now");
  await wipe(remains);
  log.info({}, "the node is wiped");
}
