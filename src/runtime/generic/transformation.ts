/** What both transforms share: how one input becomes one output. */
import {
  exclusive,
  shared,
  type Held,
  type Inputs,
  type InputValues,
  type Labelled,
  type Output,
  type Outputs,
  type ReconcileContext,
  type Surroundings,
} from "../controller.ts";
import type { Instant } from "../instant.ts";
import type { DeepReadonly, Resource, ResourceType } from "../resource.ts";

/** Returned by a transformation: the input has no output, and one that there is goes. */
export const withdrawn: unique symbol = Symbol("withdrawn");

/** What a transformation makes of an input; nothing means: what there is stays as it is. */
export type Made<Spec> =
  DeepReadonly<Spec> | Labelled<DeepReadonly<Spec>> | typeof withdrawn | undefined;

/** What a transformation gets besides its input. */
export interface MakingContext<Spec, I extends Inputs, O extends Outputs> extends Surroundings {
  /** The values of the extra inputs. */
  readonly inputs: InputValues<I>;
  /** The output as it is; `null` while there is none. */
  readonly held: DeepReadonly<Spec> | null;
  /** The extra outputs as they are; of all inputs in a transform that is not queued. */
  readonly heldExtra: Held<O>;
  /** Writes an extra output; those that are not written at the next run go. */
  readonly write: <Name extends keyof O & string>(
    name: Name,
    id: string,
    spec: SpecOfOutput<O[Name]>,
  ) => void;
  /** Runs again at that instant, if nothing is a reason before. */
  readonly wakeAt: (when: Instant) => void;
}

type SpecOfOutput<O> =
  O extends Output<infer Spec> ? DeepReadonly<Spec> | Labelled<DeepReadonly<Spec>> : never;

/** Makes the output of one input. */
export type MakeOutput<In, Out, I extends Inputs, O extends Outputs> = (
  input: Resource<In>,
  context: MakingContext<Out, I, O>,
) => Made<Out> | Promise<Made<Out>>;

/** Called while an input is torn down: whether it can be let go. A throw is tried again later. */
export type Release<In> = (
  input: Resource<In>,
  context: Surroundings,
) => boolean | Promise<boolean>;

/** How a transform is declared. */
export interface TransformationOptions<In, Out, I extends Inputs, O extends Outputs> {
  /** The name of the controller; also the finalizer on its inputs. */
  readonly name: string;
  readonly input: ResourceType<In>;
  readonly output: ResourceType<Out>;
  /** Default exclusive. */
  readonly sharing?: "exclusive" | "shared";
  /** The id of the output; nothing: the input has none. Default: that of the input. */
  readonly outputId?: (input: Resource<In>) => string | undefined;
  readonly make: MakeOutput<In, Out, I, O>;
  readonly extraInputs?: I;
  readonly extraOutputs?: O;
  readonly shutdownHook?: () => void | Promise<void>;
}

/** Extra inputs and outputs may not have these names. */
export const RESERVED = "transformed";

/** What a run of transformations collects. */
export class Collected {
  readonly outputs: Record<string, Record<string, unknown>> = {};
  wakeAt: Instant | null = null;

  constructor(outputs: Outputs) {
    for (const name of Object.keys(outputs)) this.outputs[name] = emptyRecord();
  }

  set(name: string, id: string, value: unknown): void {
    const outputs = this.outputs[name];
    if (outputs === undefined)
      throw new TypeError(`output ${JSON.stringify(name)} is not declared`);
    outputs[id] = value;
  }

  wake(when: Instant): void {
    if (this.wakeAt === null || when < this.wakeAt) this.wakeAt = when;
  }
}

/** Ids are anybody's text. */
const emptyRecord = (): Record<string, unknown> => Object.create(null) as Record<string, unknown>;

/** Goes on with a value, at once when it is there: a promise would cost each item a turn. */
export const goOn = <A, B>(value: A | Promise<A>, go: (value: A) => B): B | Promise<B> =>
  value instanceof Promise ? value.then(go) : go(value);

/** Calls `make` for one input. */
export function makeOutput<In, Out, I extends Inputs, O extends Outputs>(
  { make }: TransformationOptions<In, Out, I, O>,
  input: Resource<In>,
  id: string,
  context: ReconcileContext<Inputs, Outputs>,
  collected: Collected,
): "made" | "skipped" | Promise<"made" | "skipped"> {
  const { held } = context;
  const output = held[RESERVED]?.[id] as DeepReadonly<Out> | undefined;
  return goOn(make(input, makingContext(context, output, collected)), (made) => {
    if (made === undefined) {
      if (output !== undefined) collected.set(RESERVED, id, output);
      return "skipped";
    }
    if (made !== withdrawn) collected.set(RESERVED, id, made);
    return "made";
  });
}

const makingContext = <Out, I extends Inputs, O extends Outputs>(
  context: ReconcileContext<Inputs, Outputs>,
  output: DeepReadonly<Out> | undefined,
  collected: Collected,
): MakingContext<Out, I, O> => ({
  clock: context.clock,
  random: context.random,
  log: context.log,
  get signal() {
    return context.signal;
  },
  inputs: context.inputs as InputValues<I>,
  held: output ?? null,
  heldExtra: context.held as unknown as Held<O>,
  write: (name, extraId, spec) => collected.set(name, extraId, spec),
  wakeAt: (when) => collected.wake(when),
});

/** The output of a transform, and the extra ones. */
export function outputsOf<In, Out, I extends Inputs, O extends Outputs>(
  { output, sharing = "exclusive", extraOutputs }: TransformationOptions<In, Out, I, O>,
  itemOf?: (id: string) => string,
): Outputs {
  const options = itemOf === undefined ? {} : { itemOf };
  checkNames(extraOutputs);
  return {
    [RESERVED]: sharing === "shared" ? shared(output, options) : exclusive(output, options),
    ...extraOutputs,
  };
}

/** @throws {TypeError} when an extra input or output has the name of the transform's own */
export function checkNames(extra: Inputs | Outputs | undefined): void {
  if (extra !== undefined && RESERVED in extra)
    throw new TypeError(`${JSON.stringify(RESERVED)} is the name of the transform's own`);
}
