/** One output for each input, one item at a time (cosi.md §7.2). */
import {
  defineController,
  each,
  strong,
  type Controller,
  type Inputs,
  type Outputs,
  type ReconcileContext,
  type Result,
} from "../controller.ts";
import type { Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import {
  checkNames,
  Collected,
  makeOutput,
  outputsOf,
  RESERVED,
  goOn,
  type Release,
  type TransformationOptions,
} from "./transformation.ts";

/** Options of {@link queuedTransform}. */
export interface QueuedTransformOptions<
  In,
  Out,
  I extends Inputs,
  O extends Outputs,
> extends TransformationOptions<In, Out, I, O> {
  /** Which inputs. */
  readonly query?: Query;
  /** The id of the input that an output is of; needed with `outputId`. */
  readonly inputId?: (outputId: string) => string;
  /** Default 1. */
  readonly concurrency?: number;
  /** Whether the output, and then the input, can go. Default: at once. */
  readonly release?: Release<In>;
  /** An input is like any other while it has finalizers besides these and the own one. */
  readonly ignoreTeardownUntil?: readonly string[];
  /** An input is like any other while it has one of these finalizers. */
  readonly ignoreTeardownWhile?: readonly string[];
}

/**
 * Makes a queued controller that keeps an output for each input and holds the input by a finalizer
 * until the output is gone. Extra inputs say which items they concern by `items`. A transformation
 * that throws concerns its own input only; by a `RetryAtError` it says when to try again.
 *
 * @throws {TypeError} when options contradict each other
 */
export function queuedTransform<In, Out, I extends Inputs = Inputs, O extends Outputs = Outputs>(
  options: QueuedTransformOptions<In, Out, I, O>,
): Controller {
  const { name, input, query, inputId, concurrency = 1, extraInputs, shutdownHook } = options;
  if (options.outputId !== undefined && inputId === undefined)
    throw new TypeError(`${name}: outputId needs inputId, its inverse`);
  checkNames(extraInputs);
  const item = each(input, { phase: "any", ...(query !== undefined && { query }) });
  const outputs = outputsOf(options, inputId);
  return defineController({
    name,
    inputs: { ...extraInputs, [RESERVED]: strong(item) },
    outputs,
    concurrency,
    ...(shutdownHook !== undefined && { shutdownHook }),
    reconcile: (context: ReconcileContext<Inputs, Outputs>) => runItem(options, outputs, context),
  });
}

function runItem<In, Out, I extends Inputs, O extends Outputs>(
  options: QueuedTransformOptions<In, Out, I, O>,
  outputs: Outputs,
  context: ReconcileContext<Inputs, Outputs>,
): Result<Outputs> | Promise<Result<Outputs>> {
  const input = context.inputs[RESERVED] as Resource<In>;
  return input.metadata.phase === "running" || ignoresTeardown(options, input)
    ? makeOne(options, input, outputs, context)
    : letGo(options, input, outputs, context);
}

function ignoresTeardown<In, Out, I extends Inputs, O extends Outputs>(
  options: QueuedTransformOptions<In, Out, I, O>,
  { metadata }: Resource<In>,
): boolean {
  const { name, ignoreTeardownUntil: until, ignoreTeardownWhile: during } = options;
  const others = metadata.finalizers.filter((finalizer) => finalizer !== name);
  return (
    (until !== undefined && others.some((finalizer) => !until.includes(finalizer))) ||
    (during !== undefined && others.some((finalizer) => during.includes(finalizer)))
  );
}

function makeOne<In, Out, I extends Inputs, O extends Outputs>(
  options: QueuedTransformOptions<In, Out, I, O>,
  input: Resource<In>,
  outputs: Outputs,
  context: ReconcileContext<Inputs, Outputs>,
): Result<Outputs> | Promise<Result<Outputs>> {
  const collected = new Collected(outputs);
  const id = options.outputId === undefined ? input.metadata.id : options.outputId(input);
  const conclude = (end: "made" | "skipped"): Result<Outputs> => {
    const { wakeAt } = collected;
    return end === "skipped" ? { wakeAt } : { outputs: collected.outputs, holds: [input], wakeAt };
  };
  return id === undefined
    ? conclude("made")
    : goOn(makeOutput(options, input, id, context, collected), conclude);
}

/** The output goes, and with it the hold on the input. */
function letGo<In, Out, I extends Inputs, O extends Outputs>(
  { name, release }: QueuedTransformOptions<In, Out, I, O>,
  input: Resource<In>,
  outputs: Outputs,
  context: ReconcileContext<Inputs, Outputs>,
): Result<Outputs> | Promise<Result<Outputs>> {
  const isHeld = input.metadata.finalizers.includes(name);
  const mayGo = isHeld && release !== undefined ? release(input, context) : true;
  return goOn(mayGo, (goes) => (goes ? { outputs: new Collected(outputs).outputs } : {}));
}
