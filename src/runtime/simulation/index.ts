/**
 * Simulates controllers: one seed decides what goes wrong and when, the code that runs is the real one,
 * and the same seed does the same thing everywhere.
 */
export { defineScenario } from "./scenario.ts";
export type {
  CommandOptions,
  Machine,
  NodeView,
  Note,
  Operation,
  Operator,
  Properties,
  Property,
  Scenario,
  ScenarioDefinition,
  Verdict,
  WorldView,
} from "./scenario.ts";
export { eventsOf, simulate } from "./simulate.ts";
export type { Failure, PlacedEvent, Progress, SimulateOptions, Simulation } from "./simulate.ts";
export { eachNode } from "./each-node.ts";
export { lasting } from "./lasting.ts";
export type { Files } from "./files.ts";
export type { Bound, FaultBounds, FaultKind, SimulationEvent } from "./faults.ts";
export type { WatchEnd } from "./faulty-core.ts";
export type { Logger } from "../logger.ts";
export { NeverAtRestError } from "./process.ts";
export type { CrashPoint } from "./disk.ts";
export type { Counts } from "./tally.ts";
export { faultsIn } from "./tally.ts";
export type { Stream } from "./kernel/streams.ts";
export { streamOf } from "./kernel/streams.ts";
export type { TraceLine, TraceSink } from "./trace.ts";
export { CallRefusedError, CallTimedOutError } from "./network.ts";
export type { CallHandler, Network } from "./network.ts";
export { shrink } from "./shrink.ts";
export type { ShrinkOptions } from "./shrink.ts";
export { replay, traceHeader, TraceUnreadableError } from "./replay.ts";
export type { Difference, Replay, TraceHeader } from "./replay.ts";
export { explain } from "./explain.ts";
export { describeFailure } from "./report.ts";
