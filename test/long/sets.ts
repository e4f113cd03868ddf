/** Commits of several writes that belong together, and a check that none is lost or half there. */
import { z } from "zod";
import { defineResource, instantOf, pointerTo } from "#runtime";
import type { Store, Write } from "#runtime/store";

/** One half of what a commit makes. */
export const Half = defineResource({
  type: "Halves.test.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
});

/** How many commits a writer has made; changed in each. */
export const Count = defineResource({
  type: "Counts.test.dev",
  namespace: "test",
  spec: z.object({ value: z.int() }),
});

/** So many commits of a writer stay; each takes away what an older one made. */
const KEPT = 10;

const newMetadata = (kind: typeof Half | typeof Count, id: string, version: number) => ({
  ...pointerTo(kind, id),
  ...{ version, owner: "", phase: "running" as const },
  ...{ created: instantOf(0), updated: instantOf(0) },
  ...{ labels: {}, annotations: {}, finalizers: [] },
});

const halves = (writer: string, number: number) =>
  ["left", "right"].map((side) => `${writer}/${String(number)}/${side}`);

/** The writes of a writer's commit; the first has number 1. */
export function commitOf(writer: string, number: number, text: string): Write[] {
  const count = {
    metadata: newMetadata(Count, writer, number - 1),
    spec: { value: number },
  };
  const creates = halves(writer, number).map((id): Write => {
    const resource = { metadata: newMetadata(Half, id, 0), spec: { text } };
    return { op: "create", resource };
  });
  const gone = number > KEPT ? halves(writer, number - KEPT) : [];
  return [
    ...creates,
    number === 1 ? { op: "create", resource: count } : { op: "update", resource: count },
    ...gone.map((id): Write => ({ op: "destroy", pointer: pointerTo(Half, id) })),
  ];
}

/**
 * Fails unless all that was acknowledged is there, and everything that is there is whole.
 *
 * @param acknowledged by writer, the number of its last commit that was acknowledged
 * @returns by writer, the number of its last commit that is there: of more than that one at most,
 * whose answer was on its way
 */
export async function checkSets(
  store: Store,
  acknowledged: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  const there = new Map<string, number>();
  const expected: string[] = [];
  for (const { metadata, spec } of await store.list(Count)) {
    if (metadata.version !== spec.value)
      throw new Error(`${metadata.id}: ${String(metadata.version)} writes, not ${spec.value}`);
    there.set(metadata.id, spec.value);
    for (let number = Math.max(1, spec.value - KEPT + 1); number <= spec.value; number++)
      expected.push(...halves(metadata.id, number));
  }
  for (const [writer, number] of acknowledged) {
    const found = there.get(writer) ?? 0;
    if (found < number || found > number + 1)
      throw new Error(`${writer}: ${String(number)} acknowledged, ${String(found)} there`);
  }
  const found = (await store.list(Half)).map(({ metadata }) => metadata.id);
  const lost = expected.filter((id) => !found.includes(id));
  if (lost.length > 0 || found.length !== expected.length)
    throw new Error(`half there: ${lost.join(", ")}; ${found.length} for ${expected.length}`);
  return there;
}
