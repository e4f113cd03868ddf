/** What is there stays there, and whoever has nothing to do does nothing. */
import { type Instant, minutes } from "#runtime";
import { eachNode, type Properties, type Property } from "#runtime/simulation";
import { holdingsOf } from "./holdings.ts";

/** Made anew for each simulation. */
export const stayingProperties = (): Properties => ({
  "what is held stays, also on a full disk and by a wrong clock": staying(),
  "whoever has nothing to do does nothing": idleness(),
});

/** A leaf gives way to another one, and to nothing else, as long as a process lives. */
function staying(): Property {
  const seen = new Map<string, { readonly boot: number; readonly ids: readonly string[] }>();
  return eachNode((node) => {
    const { name, boot } = node;
    if (!node.isUp) return [];
    const ids = holdingsOf(node).leaves.map(({ id }) => id);
    const last = seen.get(name);
    seen.set(name, { boot, ids });
    if (last?.boot !== boot || ids.length >= last.ids.length) return [];
    return last.ids.filter((id) => !ids.includes(id)).map((id) => `${name}: ${id} is gone`);
  });
}

const WINDOW = minutes(5);
/** A change of the configuration sets off about a hundred, and does not come every minute. */
const RUNS_MAX = 250;

function idleness(): Property {
  const since = new Map<string, { readonly at: Instant; readonly runs: number }>();
  return eachNode((node, { now }) => {
    const { name, runs } = node;
    const last = since.get(name);
    if (last !== undefined && now - last.at < WINDOW) return [];
    since.set(name, { at: now, runs });
    if (last === undefined || !node.isCalm(now - last.at)) return [];
    const windows = Math.floor((now - last.at) / WINDOW);
    const done = runs - last.runs;
    return done <= RUNS_MAX * windows
      ? []
      : [`${name}: ${String(done)} reconciles in ${String((now - last.at) / minutes(1))} minutes`];
  });
}
