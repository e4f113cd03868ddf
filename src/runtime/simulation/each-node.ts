/** Properties of single nodes. */
import type { NodeView, Property, WorldView } from "./scenario.ts";

const none: readonly string[] = Object.freeze([]);

/**
 * A property that says of each node by itself what is wrong there. Only nodes in which something may
 * have changed are looked at; of the others the last answer stands. It remembers, so make it anew for
 * each simulation.
 */
export function eachNode(
  problemsOf: (node: NodeView, world: WorldView) => readonly string[],
): Property {
  const broken = new Map<NodeView, readonly string[]>();
  return (world) => {
    for (const node of world.changed) {
      const problems = problemsOf(node, world);
      if (problems.length > 0) broken.set(node, problems);
      else broken.delete(node);
    }
    return broken.size === 0 ? none : world.nodes.flatMap((node) => broken.get(node) ?? none);
  };
}
