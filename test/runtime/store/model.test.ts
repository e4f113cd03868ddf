import fc from "fast-check";
import { expect, test } from "vitest";
import { instantOf, type Pointer } from "#runtime";
import { openMemoryStore, openSqliteStore, type Store, type Write } from "#runtime/store";
import { kind, path } from "./conformance/suite.ts";
import { freshPath } from "./sqlite/fresh-path.ts";

/** What the model knows of a resource. */
interface Entry {
  readonly version: number;
  readonly owner: string;
  readonly phase: "running" | "tearingDown";
  readonly finalizers: readonly string[];
}
type Model = ReadonlyMap<string, Entry>;

const owner = fc.constantFrom("", "", "", "one");
const change = fc.record({
  op: fc.constantFrom("create", "update", "update", "destroy"),
  id: fc.constantFrom("a", "b", "c"),
  owner,
  owned: owner, // what an update makes of the owner
  lag: fc.constantFrom(0, 0, 0, 0, 1), // how many versions an update comes too late
  phase: fc.constantFrom("running" as const, "running" as const, "tearingDown" as const),
  expectedPhase: fc.constantFrom("running" as const, "any" as const),
  finalizers: fc.constantFrom([], [], ["f"]),
});
type Step = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** One write by the book, or the code of its refusal: cosi.md §2.2. */
function applied(model: Model, step: Step): Model | string {
  const stored = model.get(step.id);
  const next = new Map(model);
  if (step.op === "create") {
    if (stored) return "ERR_ALREADY_EXISTS";
    const { phase, finalizers } = step;
    return next.set(step.id, { version: 1, owner: step.owner, phase, finalizers });
  }
  if (!stored) return "ERR_NOT_FOUND";
  if (stored.owner !== step.owner) return "ERR_OWNER_CONFLICT";
  if (step.op === "destroy") {
    if (stored.finalizers.length > 0) return "ERR_PENDING_FINALIZERS";
    next.delete(step.id);
    return next;
  }
  if (step.lag > 0) return "ERR_VERSION_CONFLICT";
  if (step.expectedPhase !== "any" && stored.phase !== "running") return "ERR_PHASE_CONFLICT";
  const { owned, phase, finalizers } = step;
  return next.set(step.id, { version: stored.version + 1, owner: owned, phase, finalizers });
}

function writeOf(step: Step, model: Model): Write {
  const pointer: Pointer = path(step.id);
  if (step.op === "destroy") return { op: "destroy", pointer, owner: step.owner };
  const times = { created: instantOf(0), updated: instantOf(0), labels: {}, annotations: {} };
  const { phase, finalizers, expectedPhase } = step;
  const version = (model.get(step.id)?.version ?? 1) - step.lag;
  const metadata = { ...pointer, ...times, version, owner: step.owned, phase, finalizers };
  const resource = { metadata, spec: { version } };
  return step.op === "create"
    ? { op: "create", resource, owner: step.owner }
    : { op: "update", resource, owner: step.owner, expectedPhase };
}

/** Makes the commits all at once and compares each end with the model's. */
async function follow(store: Store, commits: readonly (readonly Step[])[]): Promise<Model> {
  const seen = new Map<string, Entry>();
  store.core.watchKind(kind).subscribe((batch) => {
    for (const event of batch) {
      if (event.type === "destroyed") seen.delete(event.resource.metadata.id);
      else if (event.type === "created" || event.type === "updated")
        seen.set(event.resource.metadata.id, entryOf(event.resource.metadata));
    }
  });
  let model: Model = new Map();
  const ends: Promise<void>[] = [];
  for (const steps of commits) {
    const writes: Write[] = [];
    let staged: Model | string = model;
    for (const step of steps) {
      if (typeof staged === "string") break;
      writes.push(writeOf(step, staged));
      staged = applied(staged, step);
    }
    const expected = typeof staged === "string" ? staged : "done";
    if (typeof staged !== "string") model = staged;
    const end = store.core.commit(writes).then(
      () => "done",
      (error: unknown) => (error as { code: string }).code,
    );
    ends.push(end.then((code) => expect(code).toBe(expected)));
  }
  await Promise.all(ends);
  expect(seen).toEqual(model); // the events add up to the contents
  await expectContents(store, model);
  return model;
}

const entryOf = ({ version, owner, phase, finalizers }: Entry): Entry => ({
  ...{ version, owner, phase },
  finalizers: [...finalizers],
});

async function expectContents(store: Store, model: Model): Promise<void> {
  const resources = await store.core.list(kind);
  expect(resources.map(({ metadata }) => metadata.id)).toEqual([...model.keys()].sort());
  for (const { metadata } of resources) expect(entryOf(metadata)).toEqual(model.get(metadata.id));
}

const commits = fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 25 });

test("any commits end on the memory store as the model says", async () => {
  const property = fc.asyncProperty(commits, async (steps) => {
    await using store = openMemoryStore();
    await follow(store, steps);
  });
  await fc.assert(property, { numRuns: 300 });
});

test("any commits end on the SQLite store as the model says, also after it is reopened", async () => {
  const property = fc.asyncProperty(commits, async (steps) => {
    const options = { path: freshPath(), eventLog: 5 };
    const store = await openSqliteStore(options);
    const model = await follow(store, steps);
    await store.close();
    await using again = await openSqliteStore(options);
    await expectContents(again, model);
  });
  await fc.assert(property, { numRuns: 25 });
});
