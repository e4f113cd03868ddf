/** Properties that may be broken for a moment. */
import type { Instant } from "../instant.ts";
import type { Property } from "./scenario.ts";
import { problemsOf } from "./verdict.ts";

/**
 * A property that is broken only by a problem that lasts: what `property` complains of has to be there,
 * in the same words, at each look for longer than `duration` milliseconds of true time. It remembers,
 * so make it anew for each simulation.
 */
export function lasting(duration: number, property: Property): Property {
  let since = new Map<string, Instant>();
  return (world) => {
    const verdict = property(world);
    if (verdict === true) {
      if (since.size > 0) since = new Map();
      return true;
    }
    const said = problemsOf(verdict);
    if (said === undefined) return verdict; // whoever asked says so
    const problems = typeof said === "boolean" ? ["it does not hold"] : said;
    since = new Map(problems.map((problem) => [problem, since.get(problem) ?? world.now]));
    return problems.filter((problem) => world.now - (since.get(problem) ?? world.now) > duration);
  };
}
