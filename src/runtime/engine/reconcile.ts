/** One run of one unit: one snapshot, one call of `reconcile`, one commit. */
import type { Inputs, Outputs, ReconcileContext, Result, Surroundings } from "../controller.ts";
import type { Instant } from "../instant.ts";
import type { CoreStore, Write } from "../store/store.ts";
import type { Committer } from "./committer.ts";
import { holdOf, leavingAfter, releaseOf, waitsFor } from "./finalizers.ts";
import { readInputs, type InputsRead } from "./inputs.ts";
import { keyOf, type Unit } from "./lane.ts";
import { heldOf, planOutputs, readOwned, type Owned, type Plan } from "./outputs.ts";

/** What runs need. */
export interface RunOptions extends Surroundings {
  readonly core: CoreStore;
  readonly committer: Committer;
}

/** How a run ended that did not fail. */
export interface Outcome {
  readonly wakeAt: Instant | null;
  /** The input that is missing or not ready, or the output that is not gone yet; as text. */
  readonly waitingFor: string;
  /** The item is not there any more, and neither are its outputs. */
  readonly isOver: boolean;
}

/**
 * Runs a unit once.
 *
 * @returns nothing when the engine was stopped meanwhile: nothing was written
 * @throws whatever `reconcile` throws, and the store's errors; nothing was written
 */
export async function runUnit(unit: Unit, options: RunOptions): Promise<Outcome | undefined> {
  const { core, clock } = options;
  const { lane } = unit;
  const { inputs, owned } = await core.snapshot(lane.kinds, (view) => {
    unit.isStale = unit.isHinted = false; // what changed up to here is in the view
    return { inputs: readInputs(unit, view), owned: readOwned(unit, view) };
  });
  if (isStopped(options)) return undefined;
  const result = inputs.state === "complete" ? await call(unit, inputs, owned, options) : undefined;
  if (isStopped(options)) return undefined; // abandoned before the commit
  const keeps = inputs.state === "waiting" || (inputs.state === "complete" && !result);
  const plan = keeps ? undefined : planOutputs(unit, owned, result?.outputs, clock.now());
  const wakeAt = wakeUpOf(result);
  await write(unit, { inputs, owned, plan }, options.committer);
  const isThere = lane.each === undefined || lane.each in inputs.values;
  return {
    wakeAt,
    waitingFor: inputs.waitingFor || (plan?.postponed ? `${plan.postponed}: tearing down` : ""),
    isOver: !isThere && plan?.leaving.length === 0,
  };
}

function wakeUpOf(result: Result<Outputs> | undefined): Instant | null {
  const wakeAt = result?.wakeAt ?? null;
  if (Number.isNaN(wakeAt)) throw new TypeError("wakeAt is not an instant");
  return wakeAt === Infinity ? null : wakeAt;
}

const isStopped = ({ signal }: Surroundings): boolean => signal.aborted;

async function call(
  unit: Unit,
  inputs: InputsRead,
  owned: Owned,
  { clock, random, log, signal }: Surroundings,
): Promise<Result<Outputs> | undefined> {
  const context: ReconcileContext<Inputs, Outputs> = {
    inputs: inputs.values,
    held: heldOf(owned),
    item: unit.item,
    clock,
    random,
    log,
    signal,
  };
  return unit.lane.controller.reconcile?.(context);
}

/** What one run found and wants. */
interface Findings {
  readonly inputs: InputsRead;
  readonly owned: Owned;
  /** Left out: what is held stays as it is. */
  readonly plan: Plan | undefined;
}

/** Puts everything that is to be written into one commit; nothing to write is no commit. */
export async function write(unit: Unit, findings: Findings, committer: Committer): Promise<void> {
  const { inputs, owned, plan } = findings;
  const { name } = unit.lane.controller;
  const leaving = plan ? leavingAfter(unit, inputs, owned, plan) : unit.leaving;
  const holds = inputs.state === "complete" ? inputs.unheld : [];
  // Outputs that stay may still come from an input that is not used any more.
  const isFree = plan !== undefined || (inputs.state === "complete" && isEmpty(owned));
  const releases = isFree
    ? inputs.unused.filter(({ metadata }) => !waitsFor(leaving, keyOf(metadata)))
    : [];
  const writes: Write[] = [
    ...holds.map((resource) => holdOf(resource, name)),
    ...(plan?.writes ?? []),
    ...releases.map((resource) => releaseOf(resource, name)),
  ];
  if (writes.length > 0) await committer.commit(unit, writes);
  unit.leaving = leaving;
}

const isEmpty = (owned: Owned): boolean => [...owned.values()].every(({ size }) => size === 0);
