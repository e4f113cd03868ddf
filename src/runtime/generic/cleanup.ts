/** Holds inputs until what hangs on them is gone (cosi.md §7.3). */
import {
  all,
  defineController,
  each,
  shared,
  strong,
  type Controller,
  type Inputs,
  type Outputs,
  type ReconcileContext,
  type Result,
  type Surroundings,
} from "../controller.ts";
import type { Query } from "../query.ts";
import type { Resource, ResourceType } from "../resource.ts";

/** What a handler finds when an input is torn down. */
interface Verdict {
  /** The input can go. */
  readonly isDone: boolean;
  readonly destroys?: readonly Resource[];
}

/** Says when an input that is torn down can go. */
export interface CleanupHandler {
  /** Of the controller, by names that tell the kinds apart. */
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  /** A throw is tried again later. */
  readonly release: (
    input: Resource,
    inputs: Readonly<Record<string, unknown>>,
    context: Surroundings,
  ) => Verdict | Promise<Verdict>;
}

/** Options of {@link cleanup}. */
export interface CleanupOptions<In> {
  /** The name of the controller; also the finalizer on its inputs. */
  readonly name: string;
  readonly input: ResourceType<In>;
  readonly handler: CleanupHandler;
  /** Default 1. */
  readonly concurrency?: number;
}

/** Makes a controller that holds each input by a finalizer until its handler says that it can go. */
export const cleanup = <In>({
  name,
  input,
  handler,
  concurrency = 1,
}: CleanupOptions<In>): Controller =>
  defineController({
    name,
    inputs: { ...handler.inputs, cleaned: strong(each(input, { phase: "any" })) },
    outputs: handler.outputs,
    concurrency,
    async reconcile(context: ReconcileContext<Inputs, Outputs>): Promise<Result<Outputs>> {
      const cleaned = context.inputs.cleaned as Resource;
      const { phase, finalizers } = cleaned.metadata;
      const outputs = Object.fromEntries(Object.keys(handler.outputs).map((key) => [key, {}]));
      if (phase === "running" || !finalizers.includes(name)) return {};
      const verdict = await handler.release(cleaned, context.inputs, context);
      const { isDone, destroys = [] } = verdict;
      return { outputs, destroys, holds: isDone ? [] : [cleaned] };
    },
  });

/** Which outputs hang on an input. */
interface Hanging<Out> {
  readonly query?: Query;
  /** The inputs that an output hangs on; default all. */
  readonly items?: (output: Resource<Out>) => readonly string[];
}

const hanging = <Out>(kind: ResourceType<Out>, options: Hanging<Out>): Inputs => ({
  [nameOf(kind)]: all(kind, { ...options, phase: "any" }),
});

/** Inputs of handlers are named by what they are, so that two of one kind are seen. */
const nameOf = ({ type, namespace }: Pick<ResourceType<never>, "type" | "namespace">): string =>
  `${type}(${namespace})`;

const listOf = (
  inputs: Readonly<Record<string, unknown>>,
  kind: Pick<ResourceType<never>, "type" | "namespace">,
): readonly Resource[] => inputs[nameOf(kind)] as readonly Resource[];

/** An input can go when no output of the kind hangs on it. */
export const hasNoOutputs = <Out>(
  kind: ResourceType<Out>,
  options: Hanging<Out> = {},
): CleanupHandler => ({
  inputs: hanging(kind, options),
  outputs: {},
  release: (_input, inputs) => ({ isDone: listOf(inputs, kind).length === 0 }),
});

/**
 * Outputs of the kind that belong to nobody, or to one of `owners`, are destroyed before the input
 * goes; those of others do not keep it.
 */
export const destroyOutputs = <Out>(
  kind: ResourceType<Out>,
  { owners = [], ...options }: Hanging<Out> & { readonly owners?: readonly string[] } = {},
): CleanupHandler => ({
  inputs: hanging(kind, options),
  outputs: { [nameOf(kind)]: shared(kind) },
  release: (_input, inputs) => {
    const destroys = listOf(inputs, kind).filter(
      ({ metadata: { owner } }) => owner === "" || owners.includes(owner),
    );
    return { destroys, isDone: destroys.every(({ metadata }) => metadata.finalizers.length === 0) };
  },
});

/**
 * Asks one handler after the other; the first that is not done ends that.
 *
 * @throws {TypeError} without handlers, and when two read one kind in different ways
 */
export function combine(...handlers: readonly CleanupHandler[]): CleanupHandler {
  if (handlers.length === 0) throw new TypeError("combine needs at least one handler");
  const inputs: Record<string, Inputs[string]> = {};
  for (const handler of handlers)
    for (const [name, input] of Object.entries(handler.inputs)) {
      const other = inputs[name];
      if (other !== undefined && (other.query !== input.query || other.items !== input.items))
        throw new TypeError(`two handlers read ${name} in different ways`);
      inputs[name] = input;
    }
  return {
    inputs,
    outputs: Object.assign({}, ...handlers.map(({ outputs }) => outputs)) as Outputs,
    async release(input, values, context) {
      for (const handler of handlers) {
        const verdict = await handler.release(input, values, context);
        // What is destroyed now, the next one must not find any more.
        if (!verdict.isDone || verdict.destroys?.length) return { ...verdict, isDone: false };
      }
      return { isDone: true };
    },
  };
}
