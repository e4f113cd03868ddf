/** Runs of units: one snapshot, a call of `reconcile` for each, one commit. */
import type { Inputs, Outputs, ReconcileContext, Result, Surroundings } from "../controller.ts";
import type { Instant } from "../instant.ts";
import type { CoreStore, Write } from "../store/store.ts";
import type { Commission, Committer } from "./committer.ts";
import { holdOf, leavingAfter, releaseOf, waitsFor, type Leaving } from "./finalizers.ts";
import { readInputs, type InputsRead } from "./inputs.ts";
import { keyOf, type Unit } from "./lane.ts";
import { destroysOf, heldOf, planOutputs, readOwned, type Owned, type Plan } from "./outputs.ts";

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
  /** A part went wrong, though what was returned is written. */
  readonly failure: Error | undefined;
}

/** What one run found. */
interface Found {
  readonly unit: Unit;
  readonly inputs: InputsRead;
  readonly owned: Owned;
}

type Returned = Result<Outputs> | undefined;

/** What is to be written at the end of a run, and how it ends then. */
interface Conclusion extends Commission {
  readonly leaving: Leaving | undefined;
  readonly outcome: Outcome;
}

/**
 * Runs a unit once.
 *
 * @returns nothing when the engine was stopped, or the call was ended, meanwhile: nothing was written
 * @throws whatever `reconcile` throws, and the store's errors; nothing was written
 */
export async function runUnit(unit: Unit, options: RunOptions): Promise<Outcome | undefined> {
  const [found] = await findAll([unit], options);
  if (found === undefined || isStopped(options)) return undefined;
  const call = new Call(found, options);
  try {
    const returned = call.begin();
    unit.lane.isSynchronous = !isPromise(returned);
    const result = isPromise(returned) ? await returned : returned;
    if (isStopped(options) || call.isEnded) return undefined; // abandoned before the commit
    const conclusion = conclude(found, result, options);
    if (conclusion.writes.length > 0) await options.committer.commit([conclusion]);
    unit.leaving = conclusion.leaving;
    if (conclusion.outcome.failure !== undefined) throw conclusion.outcome.failure;
    return conclusion.outcome;
  } catch (error) {
    if (call.isEnded) return undefined;
    throw error;
  } finally {
    unit.abort = undefined;
  }
}

/** How a run ended. */
export type Ending = Outcome | { readonly error: unknown };

/**
 * Runs units of a controller whose items do not depend on each other, from one snapshot and with one
 * commit.
 *
 * @returns how they ended; those that are missing did not, and nothing of them was written
 */
export async function runUnits(
  units: readonly Unit[],
  options: RunOptions,
): Promise<ReadonlyMap<Unit, Ending>> {
  const endings = new Map<Unit, Ending>();
  const conclusions: Conclusion[] = [];
  let promised: Promised | undefined;
  for (const found of await findAll(units, options)) {
    if (isStopped(options)) return endings;
    const call = new Call(found, options);
    try {
      const returned = call.begin();
      if (isPromise(returned)) {
        promised = { found, call, returned };
        void returned.then(undefined, () => undefined); // it is heard after the commit, and may fail before
        break;
      }
      conclusions.push(conclude(found, returned, options));
    } catch (error) {
      endings.set(found.unit, { error });
    } finally {
      if (promised === undefined) found.unit.abort = undefined;
    }
  }
  await commitAll(conclusions, endings, options);
  if (promised !== undefined) await settle(promised, endings, options);
  return endings;
}

/** A call that turned out to return a promise. */
interface Promised {
  readonly found: Found;
  readonly call: Call;
  readonly returned: PromiseLike<Returned>;
}

/** Whose fault it was when the commit fails shows when each is run by itself. */
async function commitAll(
  conclusions: readonly Conclusion[],
  endings: Map<Unit, Ending>,
  { committer }: RunOptions,
): Promise<void> {
  const writing = conclusions.filter(({ writes }) => writes.length > 0);
  try {
    if (writing.length > 0) await committer.commit(writing);
  } catch {
    return;
  }
  for (const { unit, leaving, outcome } of conclusions) {
    unit.leaving = leaving;
    endings.set(unit, outcome.failure === undefined ? outcome : { error: outcome.failure });
  }
}

async function settle(
  { found, call, returned }: Promised,
  endings: Map<Unit, Ending>,
  options: RunOptions,
): Promise<void> {
  const { unit } = found;
  unit.lane.isSynchronous = false;
  try {
    const result = await returned;
    if (!isStopped(options) && !call.isEnded)
      await commitAll([conclude(found, result, options)], endings, options);
  } catch (error) {
    if (!call.isEnded) endings.set(unit, { error });
  } finally {
    unit.abort = undefined;
  }
}

async function findAll(units: readonly Unit[], { core }: RunOptions): Promise<readonly Found[]> {
  const [first] = units;
  if (first === undefined) return [];
  first.lane.tally.reads++;
  return core.snapshot(first.lane.kinds, (view) =>
    units.map((unit) => {
      unit.isStale = unit.isHinted = false; // what changed up to here is in the view
      return { unit, inputs: readInputs(unit, view), owned: readOwned(unit, view) };
    }),
  );
}

const isPromise = (returned: Returned | PromiseLike<Returned>): returned is PromiseLike<Returned> =>
  typeof returned === "object" && "then" in returned;

const isStopped = ({ signal }: Surroundings): boolean => signal.aborted;

/** One call of `reconcile`. */
class Call {
  readonly #found: Found;
  readonly #options: RunOptions;
  #abort: AbortController | undefined;
  #signal: AbortSignal | undefined;

  constructor(found: Found, options: RunOptions) {
    this.#found = found;
    this.#options = options;
  }

  /** What it was called for has gone: the result is of no use. */
  get isEnded(): boolean {
    return this.#abort?.signal.aborted === true;
  }

  /** Calls it, unless an input is missing. */
  begin(): Returned | PromiseLike<Returned> {
    const { unit, inputs, owned } = this.#found;
    if (inputs.state !== "complete") return undefined;
    const { clock, random, log } = this.#options;
    const signal = () => (this.#signal ??= this.#newSignal());
    const context: ReconcileContext<Inputs, Outputs> = {
      inputs: inputs.values,
      held: heldOf(owned),
      item: unit.item,
      clock,
      random,
      log,
      get signal() {
        return signal();
      },
    };
    return unit.lane.controller.reconcile?.(context);
  }

  /** Most never ask for it. */
  #newSignal(): AbortSignal {
    this.#abort = this.#found.unit.abort = new AbortController();
    return AbortSignal.any([this.#options.signal, this.#abort.signal]);
  }
}

/** Puts everything that is to be written together. */
function conclude(found: Found, result: Returned, { clock }: RunOptions): Conclusion {
  const { unit, inputs, owned } = found;
  const { lane } = unit;
  const isComplete = inputs.state === "complete";
  checkResult(lane.controller.name, result);
  if (isComplete && result?.outputs === undefined) lane.tally.skips++;
  const keeps = inputs.state === "waiting" || (isComplete && result?.outputs === undefined);
  const plan = keeps ? undefined : planOutputs(unit, owned, result?.outputs, clock.now());
  const leaving = plan ? leavingAfter(unit, inputs, owned, plan) : unit.leaving;
  const isThere = lane.each === undefined || lane.each in inputs.values;
  const destroys = result?.destroys === undefined ? [] : destroysOf(lane, result.destroys);
  return {
    unit,
    writes: writesOf(found, { plan, leaving, destroys, result }),
    unheard: destroys,
    leaving,
    outcome: {
      wakeAt: wakeUpOf(result),
      waitingFor: inputs.waitingFor || (plan?.postponed ? `${plan.postponed}: tearing down` : ""),
      isOver: !isThere && plan?.leaving.length === 0,
      failure: result?.failure,
    },
  };
}

const RESULT: readonly string[] = ["outputs", "wakeAt", "holds", "destroys", "failure"];

/** Misuse that types do not catch everywhere: what nobody reads would do nothing. */
function checkResult(controller: string, result: Returned): void {
  if (result === undefined) return;
  for (const key in result)
    if (!RESULT.includes(key))
      throw new TypeError(
        `${controller}: reconcile returned "${key}"; it returns ${RESULT.join(", ")}`,
      );
}

/** What a run wants. */
interface Wish {
  /** Left out: what is held stays as it is. */
  readonly plan: Plan | undefined;
  readonly leaving: Leaving | undefined;
  readonly destroys: readonly Write[];
  readonly result: Returned;
}

/** Finalizers go on before anything else is written, and come off last. */
function writesOf(
  { unit, inputs, owned }: Found,
  { plan, leaving, destroys, result }: Wish,
): Write[] {
  const { name } = unit.lane.controller;
  const writes: Write[] = [];
  if (inputs.state === "complete")
    for (const resource of inputs.unheld) writes.push(holdOf(resource, name));
  if (plan !== undefined) writes.push(...plan.writes);
  writes.push(...destroys);
  if (inputs.unused.length === 0) return writes;
  // Outputs that stay may still come from an input that is not used any more.
  const isFree =
    plan !== undefined || (inputs.state === "complete" && !inputs.seesUnused && isEmpty(owned));
  if (!isFree) return writes;
  const kept = new Set(result?.holds?.map(({ metadata }) => keyOf(metadata)));
  for (const resource of inputs.unused) {
    const key = keyOf(resource.metadata);
    if (!kept.has(key) && !waitsFor(leaving, key)) writes.push(releaseOf(resource, name));
  }
  return writes;
}

function wakeUpOf(result: Returned): Instant | null {
  const wakeAt = result?.wakeAt ?? null;
  if (Number.isNaN(wakeAt)) throw new TypeError("wakeAt is not an instant");
  return wakeAt === Infinity ? null : wakeAt;
}

const isEmpty = (owned: Owned): boolean => [...owned.values()].every(({ size }) => size === 0);
