/**
 * Strong inputs: the controller's finalizer goes on before the first use of an input, and comes off
 * when the outputs that were torn down for it are gone.
 */
import type { Resource } from "../resource.ts";
import type { Write } from "../store/store.ts";
import type { InputsRead } from "./inputs.ts";
import { keyOf, type Unit } from "./lane.ts";
import type { Owned, Plan } from "./outputs.ts";

/** By key of an output on its way out: the keys of the inputs that wait for that, or all of them. */
export type Leaving = ReadonlyMap<string, ReadonlySet<string> | "every input">;

/**
 * What is on its way out after a plan is carried out. Inputs wait for the outputs that are torn down
 * now, while they are unused. Of an output that was torn down while nobody looked, it is not known
 * for whom: every input waits.
 */
export function leavingAfter(
  { leaving }: Unit,
  { unused }: InputsRead,
  owned: Owned,
  plan: Plan,
): Leaving | undefined {
  if (plan.leaving.length === 0) return undefined;
  const waiting = new Set(unused.map(({ metadata }) => keyOf(metadata)));
  const running = new Set(
    [...owned.values()]
      .flatMap((resources) => [...resources.values()])
      .filter(({ metadata }) => metadata.phase === "running")
      .map(({ metadata }) => keyOf(metadata)),
  );
  return new Map(
    plan.leaving.map((key) => [
      key,
      running.has(key) ? waiting : (leaving?.get(key) ?? "every input"),
    ]),
  );
}

/** Whether an input has to wait for outputs. */
export const waitsFor = (leaving: Leaving | undefined, input: string): boolean =>
  [...(leaving?.values() ?? [])].some((inputs) => inputs === "every input" || inputs.has(input));

/** Puts the finalizer on. In the name of the owner, as it is the owner's resource. */
export const holdOf = ({ metadata, spec }: Resource, finalizer: string): Write => ({
  op: "update",
  resource: {
    metadata: { ...metadata, finalizers: [...metadata.finalizers, finalizer] },
    spec,
  },
  owner: metadata.owner,
});

/** Takes the finalizer off. */
export const releaseOf = ({ metadata, spec }: Resource, finalizer: string): Write => ({
  op: "update",
  resource: {
    metadata: {
      ...metadata,
      finalizers: metadata.finalizers.filter((held) => held !== finalizer),
    },
    spec,
  },
  owner: metadata.owner,
  expectedPhase: "any",
});
