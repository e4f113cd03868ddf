/** Any history ends on every store as the model says, and looks like it to all who watch. */
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { instantOf, type Query } from "#runtime";
import { openMemoryStore, openSqliteStore, type Store, type Write } from "#runtime/store";
import { kind, path, Path, record, spec } from "../../../src/runtime/conformance/store/suite.ts";
import { type Entry, Model, type Step } from "./model.ts";
import { openBehindServer } from "./remote-server.ts";
import { freshPath } from "./sqlite/fresh-path.ts";

const id = fc.constantFrom("a", "b", "c");
const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 9 }, fc.constantFrom(usual, ...others));
const name = mostly("", "one");
const tier = fc.constantFrom("", "front", "back");
const phase = mostly<Entry["phase"]>("running", "tearingDown");
const finalizers = mostly<string[]>([], ["f"]);
const finalizer = fc.constantFrom("f", "g");
const lag = mostly(0, 1);
const expectedPhase = fc.constantFrom("running" as const, "any" as const, "any" as const);
const op = <Op extends string>(of: Op) => fc.constant(of);

const entry = { id, owner: name, phase, finalizers, tier };
const create = fc.record({ op: op("create"), ...entry });
const update = fc.record({ op: op("update"), ...entry, by: name, lag, expectedPhase });
const destroy = fc.record({ op: op("destroy"), id, by: name });
const teardown = fc.record({ op: op("teardown"), id, by: name });
const derived = fc.oneof(
  fc.record({ op: op("hold"), id, finalizer }),
  fc.record({ op: op("release"), id, finalizer }),
  fc.record({ op: op("label"), id, by: name, tier }),
);
const write = fc.oneof(create, update, update, destroy);
const one = fc.oneof(write, write, derived, derived, teardown).map((step) => [step]);
const several = fc.array(write, { minLength: 2, maxLength: 3 });
const commits = fc.oneof({ arbitrary: one, weight: 4 }, { arbitrary: several, weight: 1 });
const history = fc.array(commits, { maxLength: 60, size: "max" });
type Steps = typeof history extends fc.Arbitrary<infer T> ? T : never;

/** The part of a step that the store is asked for, with the version that is there by then. */
function writeOf(step: Step, model: Model): Write {
  if (step.op === "destroy") return { op: "destroy", pointer: path(step.id), owner: step.by };
  if (step.op !== "create" && step.op !== "update") throw new TypeError("a step is derived");
  const stored = model.entries.get(step.id)?.version ?? 1;
  const version = step.op === "update" ? stored - step.lag : 7;
  const { owner, phase, finalizers } = step;
  const times = { created: instantOf(0), updated: instantOf(0) };
  const labels = step.tier === "" ? {} : { tier: step.tier };
  const metadata = { ...path(step.id), ...times, version, owner, phase, finalizers };
  const resource = { metadata: { ...metadata, labels, annotations: {} }, spec: spec(version) };
  return step.op === "create"
    ? { op: "create", resource, owner }
    : { op: "update", resource, owner: step.by, expectedPhase: step.expectedPhase };
}

/** Asks the store for the steps, and tells the model. */
function play(store: Store, model: Model, steps: readonly Step[]): Promise<void> {
  const code = (asked: Promise<unknown>) =>
    asked.then(
      () => "done",
      (error: unknown) => (error as { code: string }).code,
    );
  const expecting = async (asked: Promise<unknown>, expected: string) =>
    expect(await code(asked)).toBe(expected);
  const [step] = steps;
  const pointer = path(step?.id ?? "");
  const ask = () => {
    if (step?.op === "teardown") return store.teardown(pointer, { owner: step.by });
    if (step?.op === "hold") return store.addFinalizers(pointer, step.finalizer);
    if (step?.op === "release") return store.dropFinalizers(pointer, step.finalizer);
    if (step?.op !== "label") return undefined;
    const relabel = ({ labels }: { labels: Record<string, string> }) => {
      if (step.tier === "") delete labels.tier;
      else labels.tier = step.tier;
    };
    return store.modifyMetadata(pointer, relabel, { owner: step.by });
  };
  const asked = ask();
  const { atomic } = store.core;
  if (asked !== undefined) return expecting(asked, model.commit(steps, atomic));
  const trial = new Model(); // versions in a commit follow those of its earlier writes
  for (const [key, known] of model.entries) trial.entries.set(key, known);
  const asks: Write[] = [];
  for (const write of steps) {
    asks.push(writeOf(write, trial));
    if (trial.commit([write], true) !== "done") break;
  }
  return expecting(store.core.commit(asks), model.commit(steps, atomic));
}

const views: readonly { query?: Query; matches: (entry: Entry) => boolean }[] = [
  { matches: () => true },
  {
    query: { labels: [[{ key: "tier", op: "equal", values: ["front"] }]] },
    matches: (entry) => entry.tier === "front",
  },
  {
    query: { labels: [[{ key: "tier", op: "equal", values: ["back"], invert: true }]], id: /[ab]/ },
    matches: ({ id, tier }) => tier !== "back" && id !== "c",
  },
];

/** Plays a history, all at once where the store keeps the order, and compares what all see. */
async function follow(store: Store, history: Steps, remembered = Infinity) {
  const model = new Model();
  const options = { bootstrapBookmark: true };
  const watches = views.map(({ query }) =>
    record(store.watchKind(Path, query ? { ...options, query } : options)),
  );
  const ends: Promise<void>[] = [];
  for (const steps of history) {
    const end = play(store, model, steps);
    if (store.core.atomic) ends.push(end);
    else await end;
  }
  await Promise.all(ends);
  for (const [i, { matches }] of views.entries())
    await watches[i]?.shows("noop", ...model.lines(matches));
  const events = watches[0]?.events ?? [];
  const expectAll = async (of: Store) => {
    await expectContents(of, model);
    await expectPast(of, model, events, remembered);
  };
  await expectAll(store);
  return expectAll;
}

async function expectContents(store: Store, model: Model): Promise<void> {
  for (const { query, matches } of views) {
    const entries = (await store.core.list(kind, query)).map(({ metadata }) => ({
      ...{ id: metadata.id, version: metadata.version, owner: metadata.owner },
      ...{ phase: metadata.phase, finalizers: metadata.finalizers },
      tier: metadata.labels.tier ?? "",
    }));
    expect(entries).toEqual(model.list(matches));
  }
}

/** From each bookmark exactly the rest, or a refusal where that need not be remembered. */
async function expectPast(
  store: Store,
  model: Model,
  events: readonly object[],
  remembered: number,
): Promise<void> {
  const all = () => true;
  for (const [i, event] of events.entries()) {
    if (i % 7 !== 0) continue;
    const { bookmark: startFromBookmark } = event as { bookmark: Uint8Array };
    const resumed = record(store.watchKind(Path, { startFromBookmark }));
    if (model.log.length - i <= remembered) await resumed.shows(...model.lines(all, i));
    else expect([[...model.lines(all, i)], ["errored ERR_INVALID_BOOKMARK"]]).toContainEqual(resumed.lines); // prettier-ignore
    resumed.stop();
  }
  const tail = record(store.watchKind(Path, { tailEvents: 3 }));
  await tail.shows(...model.lines(all, Math.max(model.log.length - 3, 0)));
  tail.stop();
}

test("any history goes on the memory store as on the model", async () => {
  const property = fc.asyncProperty(history, async (steps) => {
    await using store = openMemoryStore();
    await follow(store, steps);
  });
  await fc.assert(property, { numRuns: 300 });
});

test("any history goes on the SQLite store as on the model, also after it is reopened", async () => {
  const property = fc.asyncProperty(history, async (steps) => {
    const options = { path: freshPath(), eventLog: 5 };
    const store = await openSqliteStore(options);
    const expectAll = await follow(store, steps, 5);
    await store.close();
    await using again = await openSqliteStore(options);
    await expectAll(again);
  });
  await fc.assert(property, { numRuns: 30 });
});

const servers = openBehindServer();
afterAll(() => servers[Symbol.asyncDispose]());

test("any history goes on a remote store as on the model", async () => {
  const property = fc.asyncProperty(history, async (steps) => {
    await using store = await servers.open();
    await follow(store, steps);
  });
  await fc.assert(property, { numRuns: 40 });
});
