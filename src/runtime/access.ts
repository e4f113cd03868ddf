/** The store as a controller may use it by itself (cosi.md §6.3). */
import type { Draft } from "immer";
import type { Pointer } from "./errors.ts";
import type { Query } from "./query.ts";
import type { DeepReadonly, Phase, Resource, ResourceType } from "./resource.ts";

interface Place {
  /** Default: that of the kind. */
  readonly namespace?: string;
}

/** In whose name something is done. */
interface AnyOwner {
  /** Default: the controller; the empty string is nobody. */
  readonly owner?: string;
}

/** Whether something belongs to the controller. */
interface OwnOrNobodys {
  /** The empty string: it belongs to nobody. Default: to the controller. */
  readonly owner?: "";
}

/**
 * Reads inputs and outputs, writes outputs, puts finalizers on strong inputs and on the items of a
 * queued controller. Everything else is refused. What is read is what is stored now, own writes
 * included.
 *
 * @throws {ControllerAccessError} when the controller did not declare it
 * @throws {NotFoundError} {@link ConflictError} and its subclasses, as the store does
 */
export interface Access {
  get<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    place?: Place,
  ): Promise<Resource<Spec> | undefined>;
  /** Sorted by id; needs the whole kind as an input, or as an output. */
  list<Spec>(kind: ResourceType<Spec>, options?: Query & Place): Promise<readonly Resource<Spec>[]>;
  /**
   * Aborted as soon as the resource is tearing down or not there, and when the engine stops or the run
   * that asked for it ends.
   */
  whileRunning(pointer: Pointer): AbortSignal;
  create<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    spec: DeepReadonly<Spec>,
    options?: Place &
      OwnOrNobodys & {
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      },
  ): Promise<Resource<Spec>>;
  /** An equal spec is not written; with `initial` a missing resource is created. */
  modify<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a recipe may return a value
    recipe: (draft: Draft<NoInfer<Spec>>) => NoInfer<Spec> | void,
    options?: Place &
      OwnOrNobodys & {
        readonly initial?: DeepReadonly<Spec>;
        /** Default running. */
        readonly expectedPhase?: Phase | "any";
      },
  ): Promise<Resource<Spec>>;
  /** @returns whether it has no finalizers left */
  teardown(pointer: Pointer, options?: AnyOwner): Promise<boolean>;
  destroy(pointer: Pointer, options?: AnyOwner): Promise<void>;
  addFinalizers(pointer: Pointer, ...finalizers: readonly string[]): Promise<void>;
  /** Those of a resource that is gone are gone. */
  dropFinalizers(pointer: Pointer, ...finalizers: readonly string[]): Promise<void>;
}
