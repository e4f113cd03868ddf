/**
 * The words controllers are declared with. Inputs and outputs are data: the same data feeds
 * scheduling, access control, the dependency graph and the docs.
 */
import type { Access } from "./access.ts";
import type { Clock } from "./clock.ts";
import type { Instant } from "./instant.ts";
import type { Logger } from "./logger.ts";
import type { Query } from "./query.ts";
import type { Random } from "./random.ts";
import type { DeepReadonly, Phase, Resource, ResourceType } from "./resource.ts";

declare const value: unique symbol; // a phantom: never there at run time

export type InputMode = "one" | "gate" | "maybe" | "all" | "each";

/** A declared input; `Value` is what `reconcile` gets for it. */
export interface Input<Value> {
  readonly mode: InputMode;
  readonly kind: ResourceType<unknown>;
  readonly namespace: string;
  /** Set for one, gate and maybe. */
  readonly id?: string;
  readonly query?: Query;
  readonly ready?: (spec: never) => boolean;
  /** In a queued controller: the items that a resource of this input concerns; default all. */
  readonly items?: (resource: Resource<never>) => readonly string[];
  /** What is stored and cannot be read counts as absent; otherwise it is waited for. */
  readonly damagedIsAbsent?: boolean;
  /** A finalizer keeps the input from being destroyed before the outputs are gone. */
  readonly strong: boolean;
  /** In which phase a resource is seen. */
  readonly phase: Phase | "any";
  /** Only what is tearing down and has no finalizers any more is seen. */
  readonly destroyReady: boolean;
  readonly [value]?: Value;
}

interface Place {
  /** Default: that of the kind. */
  readonly namespace?: string;
  /**
   * In which phase a resource is seen; default running. With `any` a controller sees those that are
   * tearing down too. A strong input is held through that: until a result with outputs leaves it out
   * of its `holds`, and the outputs that are torn down by it are gone.
   */
  readonly phase?: Phase | "any";
}

const input = <Value, Spec>(
  mode: InputMode,
  kind: ResourceType<Spec>,
  rest: Omit<Partial<Input<Value>>, "mode" | "kind">,
): Input<Value> => ({
  strong: false,
  phase: "running",
  destroyReady: false,
  namespace: kind.namespace,
  ...rest,
  mode,
  kind: kind,
});

/** Absent, or in another phase: the outputs are withdrawn and `reconcile` is not called. */
export const one = <Spec>(kind: ResourceType<Spec>, id: string, place: Place = {}) =>
  input<Resource<Spec>, Spec>("one", kind, { id, ...place });

/** Absent or not ready: the controller waits and keeps what it holds. */
export const gate = <Spec>(
  kind: ResourceType<Spec>,
  id: string,
  ready: (spec: DeepReadonly<Spec>) => boolean = () => true,
  place: Place = {},
) =>
  input<Resource<Spec>, Spec>("gate", kind, {
    id,
    ready: ready,
    ...place,
  });

/** `null` while absent. */
export const maybe = <Spec>(
  kind: ResourceType<Spec>,
  id: string,
  options: Place & {
    /** `null` also while it is stored and cannot be read, where others wait. Default false. */
    readonly damagedIsAbsent?: boolean;
  } = {},
) => input<Resource<Spec> | null, Spec>("maybe", kind, { id, ...options });

/**
 * Every resource of the kind that matches, sorted by id; in a queued controller with `items` only
 * those that concern the item.
 */
export const all = <Spec>(
  kind: ResourceType<Spec>,
  options: Place & {
    readonly query?: Query;
    readonly items?: (resource: Resource<Spec>) => readonly string[];
  } = {},
) =>
  input<readonly Resource<Spec>[], Spec>("all", kind, {
    ...options,
    ...(options.items && {
      items: options.items,
    }),
  });

/** Makes a queued controller: `reconcile` is called for each item, never twice at once for one. */
export const each = <Spec>(
  kind: ResourceType<Spec>,
  options: Place & { readonly query?: Query } = {},
) => input<Resource<Spec>, Spec>("each", kind, options);

/** Puts a finalizer on the input, taken off after the outputs are gone. */
export const strong = <Value>(declared: Input<Value>): Input<Value> => ({
  ...declared,
  strong: true,
});

/**
 * Sees a resource only when it is tearing down and the last finalizer is off: what is left to do is
 * to destroy it. No other change of the kind makes the controller run.
 */
export const destroyReady = <Value>(declared: Input<Value>): Input<Value> => ({
  ...declared,
  phase: "tearingDown",
  destroyReady: true,
});

/** A declared output. */
export interface Output<Spec> {
  readonly sharing: "exclusive" | "shared";
  readonly kind: ResourceType<unknown>;
  /** In a queued controller: the item whose output this id is; default the id itself. */
  readonly itemOf?: (id: string) => string;
  readonly [value]?: Spec;
}

const output = <Spec>(
  sharing: Output<Spec>["sharing"],
  kind: ResourceType<Spec>,
  options: { readonly itemOf?: (id: string) => string },
): Output<Spec> => ({ sharing, kind: kind, ...options });

/** Only this controller writes the type. */
export const exclusive = <Spec>(
  kind: ResourceType<Spec>,
  options: { readonly itemOf?: (id: string) => string } = {},
): Output<Spec> => output("exclusive", kind, options);

/** Other controllers write the type too; each owns what it created. */
export const shared = <Spec>(
  kind: ResourceType<Spec>,
  options: { readonly itemOf?: (id: string) => string } = {},
): Output<Spec> => output("shared", kind, options);

const labelled = Symbol("labelled");

/** A spec with labels or annotations, for {@link resource}. */
export interface Labelled<Spec> {
  readonly [labelled]: true;
  readonly spec: Spec;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Wraps an output that has labels or annotations, so that the plain case stays plain. */
export const resource = <Spec>(
  spec: Spec,
  metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  },
): Labelled<Spec> => ({
  [labelled]: true,
  spec,
  labels: metadata.labels ?? {},
  annotations: metadata.annotations ?? {},
});

/** Tells a wrapped output from a plain spec. */
export const isLabelled = (output: unknown): output is Labelled<unknown> =>
  typeof output === "object" && output !== null && labelled in output;

export type Inputs = Readonly<Record<string, Input<unknown>>>;
export type Outputs = Readonly<Record<string, Output<unknown>>>;

type ValueOf<I> = I extends Input<infer V> ? V : never;
export type InputValues<I extends Inputs> = { readonly [K in keyof I]: ValueOf<I[K]> };

type SpecOfOutput<O> = O extends Output<infer Spec> ? Spec : never;
/** What a controller holds: its own outputs, by name and id. */
export type Held<O extends Outputs> = {
  readonly [K in keyof O]: Readonly<Record<string, DeepReadonly<SpecOfOutput<O[K]>> | undefined>>;
};

type Desired<Spec> = DeepReadonly<Spec> | Labelled<DeepReadonly<Spec>>;
/** What a controller wants: ids present are created or updated, ids left out are torn down. */
export type DesiredOutputs<O extends Outputs> = {
  readonly [K in keyof O]: Readonly<Record<string, Desired<SpecOfOutput<O[K]>> | undefined>>;
};

/** Returned by `reconcile`; nothing returned means: keep what is held, wait for a change. */
export interface Result<O extends Outputs> {
  /** Left out: what is held stays, and so do finalizers on strong inputs. */
  readonly outputs?: DesiredOutputs<O>;
  /** Strong inputs that are tearing down and still needed: the finalizer stays on them. */
  readonly holds?: readonly Resource[];
  /**
   * Resources of an output's type that do not belong to the controller: each is torn down in the name
   * of whoever owns it, and destroyed when nobody holds it. One that is held is looked at again when
   * an input shows that it changed.
   */
  readonly destroys?: readonly Resource[];
  /**
   * A part went wrong: the outputs are written, and then the reconcile counts as failed by this, to be
   * tried again.
   */
  readonly failure?: Error;
  /** Absolute; `null` or left out: no wake-up. In the past: runs again now, once. */
  readonly wakeAt?: Instant | null;
}

/** What every call gets from outside. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /**
   * Aborted when the engine stops, and in `reconcile` when a resource that it needs is torn down
   * meanwhile: whatever it returns or throws then is dropped.
   */
  readonly signal: AbortSignal;
}

export interface ReconcileContext<I extends Inputs, O extends Outputs> extends Surroundings {
  readonly inputs: InputValues<I>;
  readonly held: Held<O>;
  /** The item's id in a queued controller, otherwise the empty string. */
  readonly item: string;
}

/**
 * The context of the `run` tier, for live things: listeners, file writers. What it does by itself to
 * the store is in the name of the controller, and within its inputs and outputs.
 */
export interface RunContext<I extends Inputs, O extends Outputs> extends Surroundings, Access {
  /**
   * The inputs now, then again after each change of them (intermediate states are skipped); `null`
   * while a `one` or `gate` input is absent or not ready. The engine counts as busy until the first
   * value is asked for, and from the moment a value is delivered until the next one is asked for.
   */
  readonly changes: AsyncIterable<InputValues<I> | null>;
  /**
   * Writes the status resources, as the outputs of a reconcile are written: those of the controller
   * that are left out are torn down.
   */
  readonly publish: (outputs: DesiredOutputs<O>) => Promise<void>;
  /**
   * From now on these are the inputs of the controller, in `changes` too. Resolves when they are
   * watched.
   *
   * @throws {RegistrationError} when they do not go together; the inputs stay as they were
   */
  readonly updateInputs: (inputs: Inputs) => Promise<void>;
}

/** The context of a hook: it lives as long as its controller. */
export interface HookContext extends Surroundings, Access {}

/** What a controller does besides reconciling. */
export interface Hooks {
  /**
   * Runs as long as the controller does: a throw restarts it after a pause, a return ends it for
   * good. The engine does not count as busy while it runs. What it creates in the name of the
   * controller is an output as any, which reconciles withdraw unless they return it: what the hook
   * keeps by itself belongs to nobody (`owner: ""`).
   */
  readonly runHook?: (context: HookContext) => Promise<void>;
  /** Called once, after the last reconcile and the run hook have ended. */
  readonly shutdownHook?: () => void | Promise<void>;
}

/** A controller as the engine sees it. */
export interface Controller extends Hooks {
  readonly name: string;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  /** How many items at once in a queued controller. */
  readonly concurrency: number;
  readonly reconcile?: (
    context: ReconcileContext<Inputs, Outputs>,
  ) => Result<Outputs> | undefined | Promise<Result<Outputs> | undefined>;
  readonly run?: (context: RunContext<Inputs, Outputs>) => Promise<void>;
}

interface Declared<I extends Inputs, O extends Outputs> extends Hooks {
  /** `group.NameController`; it is the owner of what the controller creates. */
  readonly name: string;
  readonly inputs: I;
  readonly outputs: O;
  /** Default 1. */
  readonly concurrency?: number;
}

// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a bare return keeps what is held
type Returned<O extends Outputs> = Result<O> | undefined | void;

/** The names of outputs that are returned and were not declared. */
type Undeclared<R, O> = R extends { readonly outputs: infer Given }
  ? Extract<Exclude<keyof Given, keyof O>, string>
  : never;

/** Anything, unless outputs are returned that were not declared: then there is no such function. */
type Exact<R, O> = [Undeclared<R, O>] extends [never]
  ? unknown
  : { readonly reconcile: { readonly "not declared as outputs": Undeclared<R, O> } };

/** Declares a controller that turns inputs into outputs. */
export function defineController<
  const I extends Inputs,
  const O extends Outputs,
  R extends Returned<O>,
>(
  declared: Declared<I, O> & {
    reconcile(context: ReconcileContext<I, O>): R | Promise<R>;
  } & Exact<R, O>,
): Controller {
  return { concurrency: 1, ...declared } as unknown as Controller;
}

/** Declares a controller of the `run` tier. */
export function defineRunner<const I extends Inputs, const O extends Outputs>(
  declared: Declared<I, O> & { run(context: RunContext<I, O>): Promise<void> },
): Controller {
  return { concurrency: 1, ...declared } as unknown as Controller;
}
