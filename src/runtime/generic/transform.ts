/** One output for each input, all in one reconcile (cosi.md §7.1). */
import {
  all,
  defineController,
  strong,
  type Controller,
  type Inputs,
  type Outputs,
  type ReconcileContext,
  type Result,
  type Surroundings,
} from "../controller.ts";
import type { Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import {
  checkNames,
  Collected,
  makeOutput,
  outputsOf,
  RESERVED,
  type Release,
  type TransformationOptions,
} from "./transformation.ts";

/** Options of {@link transform}. */
export interface TransformOptions<
  In,
  Out,
  I extends Inputs,
  O extends Outputs,
> extends TransformationOptions<In, Out, I, O> {
  /** Which inputs. */
  readonly query?: Query;
  /**
   * - `withdraw`: the output goes with its input, and nobody waits for that; the default
   * - `hold`: the input is held by a finalizer until the output is gone
   * - `ignore`: an input that is tearing down is like any other
   */
  readonly tearingDown?: "withdraw" | "hold" | "ignore";
  /** With `hold`: whether the output, and then the input, can go. Default: at once. */
  readonly release?: Release<In>;
  readonly before?: (context: Surroundings) => void | Promise<void>;
  readonly after?: (context: Surroundings) => void | Promise<void>;
}

/**
 * Makes a controller that keeps an output for each input. An input whose transformation throws keeps
 * the output that it has, the others go on, and the whole is tried again.
 *
 * @throws {TypeError} when options contradict each other
 */
export function transform<In, Out, I extends Inputs = Inputs, O extends Outputs = Outputs>(
  options: TransformOptions<In, Out, I, O>,
): Controller {
  const { name, input, query, tearingDown = "withdraw", extraInputs, shutdownHook } = options;
  if (options.release !== undefined && tearingDown !== "hold")
    throw new TypeError(`${name}: release is for inputs that are held`);
  checkNames(extraInputs);
  const phase = tearingDown === "withdraw" ? "running" : "any";
  const inputs = all(input, { phase, ...(query !== undefined && { query }) });
  const outputs = outputsOf(options);
  return defineController({
    name,
    inputs: { ...extraInputs, [RESERVED]: tearingDown === "hold" ? strong(inputs) : inputs },
    outputs,
    ...(shutdownHook !== undefined && { shutdownHook }),
    reconcile: (context: ReconcileContext<Inputs, Outputs>) => runAll(options, outputs, context),
  });
}

/** What happens to one input. */
interface Cycle {
  readonly collected: Collected;
  readonly failures: unknown[];
  readonly holds: Resource[];
}

async function runAll<In, Out, I extends Inputs, O extends Outputs>(
  options: TransformOptions<In, Out, I, O>,
  outputs: Outputs,
  context: ReconcileContext<Inputs, Outputs>,
): Promise<Result<Outputs>> {
  const inputs = context.inputs[RESERVED] as readonly Resource<In>[];
  const cycle: Cycle = { collected: new Collected(outputs), failures: [], holds: [] };
  await options.before?.(context);
  for (const input of inputs) await runOne(options, input, context, cycle);
  await options.after?.(context);
  const { collected, failures, holds } = cycle;
  // An extra output may be that of an input that failed: then it stays.
  if (failures.length > 0) keepExtra(context, collected);
  const failure = failureOf(failures);
  return {
    outputs: collected.outputs,
    holds,
    wakeAt: collected.wakeAt,
    ...(failure !== undefined && { failure }),
  };
}

async function runOne<In, Out, I extends Inputs, O extends Outputs>(
  options: TransformOptions<In, Out, I, O>,
  input: Resource<In>,
  context: ReconcileContext<Inputs, Outputs>,
  { collected, failures, holds }: Cycle,
): Promise<void> {
  const id = options.outputId === undefined ? input.metadata.id : options.outputId(input);
  if (id === undefined) return;
  const leaves = options.tearingDown === "hold" && input.metadata.phase === "tearingDown";
  try {
    if (!leaves) await makeOutput(options, input, id, context, collected);
    else if (await isKept(options, input, context)) keep(input);
  } catch (error) {
    failures.push(error);
    keep(leaves ? input : undefined);
  }

  function keep(held: Resource | undefined): void {
    const output = context.held[RESERVED]?.[id ?? ""];
    if (output !== undefined) collected.set(RESERVED, id ?? "", output);
    if (held !== undefined) holds.push(held);
  }
}

/** Whether an input that is tearing down cannot go yet. */
async function isKept<In, Out, I extends Inputs, O extends Outputs>(
  { name, release }: TransformOptions<In, Out, I, O>,
  input: Resource<In>,
  context: Surroundings,
): Promise<boolean> {
  if (release === undefined || !input.metadata.finalizers.includes(name)) return false;
  return !(await release(input, context));
}

function keepExtra({ held }: ReconcileContext<Inputs, Outputs>, collected: Collected): void {
  for (const [name, outputs] of Object.entries(held)) {
    if (name === RESERVED) continue;
    for (const [id, spec] of Object.entries(outputs))
      if (collected.outputs[name]?.[id] === undefined) collected.set(name, id, spec);
  }
}

function failureOf(failures: readonly unknown[]): Error | undefined {
  const [first] = failures;
  if (failures.length === 0) return undefined;
  if (failures.length === 1 && first instanceof Error) return first;
  const messages = failures.map((failure) =>
    failure instanceof Error ? failure.message : String(failure),
  );
  return new AggregateError(failures, messages.join("; "));
}
