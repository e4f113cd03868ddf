/**
 * What an engine does on every store: COSI's runtime suite and the tests of its generic controllers
 * (cosi.md §8.2–8.4), met as outcomes, with declarative controllers. Run each case with a way to
 * open a store.
 */
import { controllerCases } from "./engine-controllers.ts";
import { genericCases } from "./engine-generic.ts";
import { queuedCases } from "./engine-queued.ts";
import type { EngineCase } from "./engine-suite.ts";

export type { EngineCase, OpenStore } from "./engine-suite.ts";

/** The cases. */
export const engineConformance: readonly EngineCase[] = [
  ...controllerCases,
  ...queuedCases,
  ...genericCases,
];

/** A test of COSI's that is not part of it, and why. */
export interface EngineSkip {
  readonly name: string;
  readonly reason: string;
}

const NO_CACHE = "there is no read cache: a reconcile reads one snapshot of the store";
const NO_LIMIT = "there is no limit on the rate of changes: one reconcile is one commit";

/** What is not met, with reasons. */
export const engineSkips: readonly EngineSkip[] = [
  { name: "TestControllerRuntimeMetrics: numbers of reads", reason: "a snapshot is one read" },
  { name: "the suite with a limit of changes", reason: NO_LIMIT },
  { name: "the suite with all kinds cached", reason: NO_CACHE },
  { name: "TestRuntimeCachedState", reason: NO_CACHE },
  { name: "cache TestCacheOperations, TestCacheContextWithTeardown", reason: NO_CACHE },
  {
    name: "TestRuntimeWatchError",
    reason: "inverted: an overrun does not end the engine (see test/long/burst.ts)",
  },
  {
    name: "TestWithExtraEventChannel",
    reason: "what happens outside comes as a resource, which a run hook or a runner writes",
  },
  {
    name: "qruntime TestPriorityQueue*, TestSliceSet, TestResettableTimer; task; future",
    reason: "tests of parts that are built otherwise here; what they guard shows in the cases",
  },
];
