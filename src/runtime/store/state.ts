/**
 * The one wrapper: everything that can be derived from a {@link CoreStore}, with the types of the
 * kinds (cosi.md §2.3).
 */
import type { Draft } from "immer";
import type { Observable } from "rxjs";
import type { Pointer } from "../errors.ts";
import type { Query } from "../query.ts";
import {
  pointerTo,
  type DeepReadonly,
  type Phase,
  type Resource,
  type ResourceType,
} from "../resource.ts";
import {
  addedTo,
  changedMetadata,
  changedSpec,
  droppedFrom,
  edit,
  unstored,
  type MetadataDraft,
} from "./edit.ts";
import { oneByOne } from "./one-by-one.ts";
import type { CoreStore, WatchEvent, WatchKindOptions, WatchOptions } from "./store.ts";
import { teardown, teardownAndDestroy, teardownSignal } from "./teardown.ts";
import { watchFor, type WatchCondition } from "./watch-for.ts";

/** Where to look; default the namespace of the kind. */
export interface Place {
  readonly namespace?: string;
}

/** In whose name a resource is changed; default nobody's. */
export interface Ownership {
  readonly owner?: string;
}

/** What an update asks of the stored resource. */
export interface UpdateOptions extends Ownership {
  /** Default running. */
  readonly expectedPhase?: Phase | "any";
}

/** Metadata of a new resource. */
export interface CreateOptions extends Ownership, Place {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** Options of {@link Store.modify}. */
export interface ModifyOptions<Spec> extends UpdateOptions, Place {
  /** What the recipe starts from when the resource is missing; left out: that is an error. */
  readonly initial?: DeepReadonly<Spec>;
}

/** Ends a wait. */
export interface Waiting {
  readonly signal?: AbortSignal;
}

/**
 * A store as controllers' surroundings and applications use it. Errors of the world are coded:
 * {@link NotFoundError}, {@link ConflictError} and its subclasses, {@link StoreFileError}.
 */
export interface Store extends AsyncDisposable {
  readonly core: CoreStore;
  get<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    place?: Place,
  ): Promise<Resource<Spec> | undefined>;
  /** Sorted by id. */
  list<Spec>(kind: ResourceType<Spec>, options?: Query & Place): Promise<readonly Resource<Spec>[]>;
  /** The spec is frozen in place. */
  create<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    spec: DeepReadonly<Spec>,
    options?: CreateOptions,
  ): Promise<Resource<Spec>>;
  /** Writes the resource unless another version than `metadata.version` is stored. */
  update<Spec>(resource: Resource<Spec>, options?: UpdateOptions): Promise<Resource<Spec>>;
  /**
   * Changes the spec by a recipe on a draft, which may also return a new spec. An equal spec is not
   * written. The recipe is synchronous, can be called again after a lost race, and cannot use the
   * store.
   */
  modify<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a recipe either changes its draft or returns
    recipe: (draft: Draft<NoInfer<Spec>>) => NoInfer<Spec> | void,
    options?: ModifyOptions<Spec>,
  ): Promise<Resource<Spec>>;
  /** Changes labels, annotations, finalizers and phase as {@link Store.modify} does the spec. */
  modifyMetadata(
    pointer: Pointer,
    recipe: (draft: MetadataDraft) => void,
    options?: UpdateOptions,
  ): Promise<Resource>;
  /** Moves the resource to phase tearing down. @returns whether it has no finalizers left */
  teardown(pointer: Pointer, options?: Ownership): Promise<boolean>;
  /** Ends the resource; it needs no teardown before, but no finalizer may be there. */
  destroy(pointer: Pointer, options?: Ownership): Promise<void>;
  /** Tears down, waits for the finalizers to go, and destroys unless somebody else did. */
  teardownAndDestroy(pointer: Pointer, options?: Ownership & Waiting): Promise<void>;
  /** Needs no owner and takes any phase, as {@link Store.dropFinalizers} does. */
  addFinalizers(pointer: Pointer, ...finalizers: readonly string[]): Promise<void>;
  dropFinalizers(pointer: Pointer, ...finalizers: readonly string[]): Promise<void>;
  /** Begins with `created`, or with `destroyed` and a tombstone when there is nothing. */
  watch<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    options?: WatchOptions & Place,
  ): Observable<WatchEvent<Spec>>;
  /** The events of a kind one by one; {@link CoreStore.watchKind} has them in batches. */
  watchKind<Spec>(
    kind: ResourceType<Spec>,
    options?: WatchKindOptions & Place,
  ): Observable<WatchEvent<Spec>>;
  /**
   * Waits until the resource is as described; it may be so already.
   *
   * @throws {CodedError} when the watch fails, and the signal's reason when it is aborted
   */
  watchFor<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    condition: WatchCondition<Spec>,
    options?: Place & Waiting,
  ): Promise<Resource<Spec>>;
  /**
   * For work that is to end with a resource: aborted when it is torn down, destroyed or missing, and
   * with the error when the watch fails. The watch behind it ends then, or with the given signal.
   */
  teardownSignal(pointer: Pointer, options?: Waiting): AbortSignal;
  close(): Promise<void>;
}

/** Derives a {@link Store} from the minimum that a backend implements. */
export function storeOver(core: CoreStore): Store {
  const close = () => core.close();
  return {
    core,
    ...readsOf(core),
    ...writesOf(core),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const addressOf = (
  kind: Pick<ResourceType<never>, "type" | "namespace">,
  id: string,
  place: Place = {},
) => pointerTo({ type: kind.type, namespace: place.namespace ?? kind.namespace }, id);

function readsOf(
  core: CoreStore,
): Pick<Store, "get" | "list" | "watch" | "watchKind" | "watchFor" | "teardownSignal"> {
  return {
    get: async <Spec>(kind: ResourceType<Spec>, id: string, place?: Place) =>
      core.get(addressOf(kind, id, place)) as Promise<Resource<Spec> | undefined>,
    list: async <Spec>(kind: ResourceType<Spec>, { namespace, ...query }: Query & Place = {}) =>
      core.list(
        { type: kind.type, namespace: namespace ?? kind.namespace },
        query.labels === undefined && query.id === undefined ? undefined : query,
      ) as Promise<readonly Resource<Spec>[]>,
    watch: <Spec>(
      kind: ResourceType<Spec>,
      id: string,
      { namespace = kind.namespace, ...options }: WatchOptions & Place = {},
    ) => core.watch(addressOf(kind, id, { namespace }), options) as Observable<WatchEvent<Spec>>,
    watchKind: <Spec>(
      kind: ResourceType<Spec>,
      { namespace, ...options }: WatchKindOptions & Place = {},
    ) =>
      oneByOne(
        core.watchKind({ type: kind.type, namespace: namespace ?? kind.namespace }, options),
      ) as Observable<WatchEvent<Spec>>,
    watchFor: async <Spec>(
      kind: ResourceType<Spec>,
      id: string,
      condition: WatchCondition<Spec>,
      { signal, ...place }: Place & Waiting = {},
    ) =>
      watchFor(
        core.watch(addressOf(kind, id, place)) as Observable<WatchEvent<Spec>>,
        condition,
        signal,
      ),
    teardownSignal: (pointer, { signal } = {}) => teardownSignal(core, pointer, signal),
  };
}

type Writes = Omit<Store, "core" | "close" | keyof ReturnType<typeof readsOf> | symbol>;

function writesOf(core: CoreStore): Writes {
  return {
    create: async <Spec>(
      kind: ResourceType<Spec>,
      id: string,
      spec: DeepReadonly<Spec>,
      options: CreateOptions = {},
    ) => {
      const resource = unstored(addressOf(kind, id, options), spec, options);
      const { owner = "" } = options;
      return only<Spec>(await core.commit([{ op: "create", resource, owner }]));
    },
    update: async <Spec>(resource: Resource<Spec>, options: UpdateOptions = {}) =>
      only<Spec>(await core.commit([{ op: "update", resource, ...options }])),
    modify: async <Spec>(
      kind: ResourceType<Spec>,
      id: string,
      // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- as in the interface
      recipe: (draft: Draft<NoInfer<Spec>>) => NoInfer<Spec> | void,
      options: ModifyOptions<Spec> = {},
    ) => {
      const pointer = addressOf(kind, id, options);
      const { initial } = options;
      const missing = initial === undefined ? undefined : unstored(pointer, initial, {});
      const decide = changedSpec(pointer, recipe as (draft: unknown) => unknown, options, missing);
      return (await edit(core, pointer, decide)) as Resource<Spec>;
    },
    modifyMetadata: async (pointer, recipe, options = {}) =>
      edit(core, pointer, changedMetadata(pointer, recipe, options)),
    teardown: async (pointer, { owner = "" } = {}) => teardown(core, checked(pointer), owner),
    destroy: async (pointer, { owner = "" } = {}) => {
      await core.commit([{ op: "destroy", pointer: checked(pointer), owner }]);
    },
    teardownAndDestroy: async (pointer, { owner = "", signal } = {}) =>
      teardownAndDestroy(core, checked(pointer), owner, signal),
    addFinalizers: async (pointer, ...finalizers) => {
      await edit(core, pointer, addedTo(pointer, finalizers));
    },
    dropFinalizers: async (pointer, ...finalizers) => {
      await edit(core, pointer, droppedFrom(pointer, finalizers));
    },
  };
}

/** A kind is easily taken for a pointer, which has an id as well. */
function checked(pointer: Pointer): Pointer {
  const { namespace, type, id } = pointer as Partial<Pointer>;
  if (typeof namespace !== "string" || typeof type !== "string" || typeof id !== "string")
    throw new TypeError("this is no pointer: give pointerTo(Kind, id), or metadata of a resource");
  return pointer;
}

/** The resource that one write left behind. */
function only<Spec>([resource]: readonly Resource[]): Resource<Spec> {
  if (resource === undefined) throw new TypeError("the store answered a write with nothing");
  return resource as Resource<Spec>;
}
