/** Runs controllers on a memory store with a clock that stands still: every call ends when all is quiet. */
import type { Draft } from "immer";
import { manualClock, type ManualClock } from "../clock.ts";
import type { Controller } from "../controller.ts";
import { createEngine, type Choose, type Engine } from "../engine/index.ts";
import { after, type Instant } from "../instant.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import { pointerTo, type DeepReadonly, type Resource, type ResourceType } from "../resource.ts";
import { openMemoryStore } from "../store/memory.ts";
import type { CreateOptions, ModifyOptions, Store } from "../store/state.ts";
import { seededRandom } from "./seeded-random.ts";

/** Where and when controllers are mounted. */
export interface MountOptions {
  /** Where the clock stands at first. */
  readonly now: Instant;
  /** Default 1. */
  readonly seed?: number;
  readonly log?: Logger;
  readonly choose?: Choose;
  /** What the engine sees of the store; default the store itself. */
  readonly wrap?: (store: Store) => Store;
}

/** Mounted controllers. */
export interface Mounted extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly store: Store;
  readonly engine: Engine;
  create<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    spec: DeepReadonly<Spec>,
    options?: CreateOptions,
  ): Promise<void>;
  update<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a recipe may return a value
    recipe: (draft: Draft<NoInfer<Spec>>) => NoInfer<Spec> | void,
    options?: ModifyOptions<Spec>,
  ): Promise<void>;
  /** Tears down, and destroys when the finalizers of controllers are gone; others' are respected. */
  destroy(kind: Kind, id: string, options?: { readonly owner?: string }): Promise<void>;
  /** What is stored now; `null` when nothing is. */
  resource<Spec>(kind: ResourceType<Spec>, id: string): Resource<Spec> | null;
  /** The spec of what is stored now; `null` when nothing is. */
  spec<Spec>(kind: ResourceType<Spec>, id: string): DeepReadonly<Spec> | null;
  /** What is stored of a kind now, sorted by id. */
  list<Spec>(kind: ResourceType<Spec>): readonly Resource<Spec>[];
  /** Moves the clock, from alarm to alarm. */
  advance(duration: number): Promise<void>;
  settled(): Promise<void>;
}

type Kind = Pick<ResourceType<unknown>, "namespace" | "type">;

type Mountable = Controller | readonly Controller[];

/**
 * Starts controllers on an empty store.
 *
 * @throws {RegistrationError} when the controllers do not go together
 */
export async function mount(
  controllers: Mountable | ((clock: ManualClock) => Mountable),
  { now, seed = 1, wrap = (store) => store, ...options }: MountOptions,
): Promise<Mounted> {
  const clock = manualClock(now);
  const random = seededRandom(seed);
  const store = openMemoryStore({ clock, random });
  const given = typeof controllers === "function" ? controllers(clock) : controllers;
  const list = "name" in given ? [given] : given;
  const engine = createEngine({
    ...options,
    store: wrap(store),
    clock,
    random,
    controllers: list,
  });
  await engine.start();
  const settled = () => engine.settled();
  await settled();
  return {
    clock,
    random,
    store,
    engine,
    settled,
    ...writesOf(store, settled),
    ...readsOf(store),
    async advance(duration) {
      const end = after(clock.now(), duration);
      for (;;) {
        const next = clock.nextAlarm();
        if (next === undefined || next > end) break;
        clock.advanceTo(next);
        await settled();
      }
      clock.advanceTo(end);
      await settled();
    },
    async [Symbol.asyncDispose]() {
      await engine.stop();
      await store.close();
    },
  };
}

function writesOf(
  store: Store,
  settled: () => Promise<void>,
): Pick<Mounted, "create" | "update" | "destroy"> {
  return {
    async create(kind, id, spec, options) {
      await store.create(kind, id, spec, options);
      await settled();
    },
    async update(kind, id, recipe, options) {
      await store.modify(kind, id, recipe, options);
      await settled();
    },
    async destroy(kind, id, options) {
      const pointer = pointerTo(kind, id);
      await store.teardown(pointer, options);
      await settled();
      const left = (await store.core.get(pointer))?.metadata;
      if (left?.phase === "tearingDown" && left.finalizers.length === 0)
        await store.destroy(pointer, options);
      await settled();
    },
  };
}

function readsOf({ core }: Store): Pick<Mounted, "resource" | "spec" | "list"> {
  /** A store in memory reads its view before it returns. */
  const read = <T>(kind: Kind, select: (view: View) => T): T => {
    const results: T[] = [];
    void core.snapshot([kind], (view) => results.push(select(view)));
    if (results.length === 0) throw new TypeError("the store does not answer at once");
    return results[0] as T;
  };
  const resource = <Spec>(kind: ResourceType<Spec>, id: string) =>
    read(kind, (view) => view.get(pointerTo(kind, id)) ?? null) as Resource<Spec> | null;
  return {
    resource,
    spec: (kind, id) => resource(kind, id)?.spec ?? null,
    list: <Spec>(kind: ResourceType<Spec>) =>
      read(kind, (view) => view.list(kind)) as readonly Resource<Spec>[],
  };
}

type View = Parameters<Parameters<Store["core"]["snapshot"]>[1]>[0];
