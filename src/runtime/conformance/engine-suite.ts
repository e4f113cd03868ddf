/** The words that the conformance cases of engines are written with. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Draft } from "immer";
import { z } from "zod";
import { manualClock, type Clock, type ManualClock } from "../clock.ts";
import type { Controller } from "../controller.ts";
import { ControllerStatus } from "../engine/controller-status.ts";
import { createEngine, type Engine } from "../engine/index.ts";
import { after, at } from "../instant.ts";
import {
  defineResource,
  pointerTo,
  type AnyResourceType,
  type DeepReadonly,
  type Resource,
  type ResourceType,
} from "../resource.ts";
import type { CreateOptions, Store } from "../store/state.ts";
import { seededRandom } from "../testing/seeded-random.ts";

/** Opens a new, empty store. */
export type OpenStore = (options: { readonly clock: Clock }) => Promise<Store>;

/** One property that an engine has on every store. */
export interface EngineCase {
  readonly name: string;
  run(open: OpenStore): Promise<void>;
}

const kind = <Schema extends z.ZodType>(type: string, spec: Schema) =>
  defineResource({ type: `${type}.test.trustplane.dev`, namespace: "test", spec });

export const Int = kind("Ints", z.object({ value: z.number() }));
export const Str = kind("Strs", z.object({ value: z.string() }));
export const Sentence = kind("Sentences", z.object({ value: z.string() }));

/** An engine on a store, with a clock that stands still. */
export interface Bench extends AsyncDisposable {
  readonly clock: ManualClock;
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
    recipe: (draft: Draft<Spec>) => void,
  ): Promise<void>;
  /** @returns whether nobody holds it */
  teardown(kind: AnyResourceType, id: string, owner?: string): Promise<boolean>;
  /** Ends a resource that nobody holds any more. */
  destroy(kind: AnyResourceType, id: string, owner?: string): Promise<void>;
  hold(kind: AnyResourceType, id: string, ...finalizers: string[]): Promise<void>;
  letGo(kind: AnyResourceType, id: string, ...finalizers: string[]): Promise<void>;
  /** Fails unless the resource is like that when the engine is quiet. */
  shows<Spec>(
    kind: ResourceType<Spec>,
    id: string,
    is: (resource: Resource<Spec>) => boolean,
  ): Promise<void>;
  /** Fails unless the spec is that when the engine is quiet; `null`: there is no such resource. */
  reads<Spec>(kind: ResourceType<Spec>, id: string, spec: unknown): Promise<void>;
  /** The state of a controller. */
  stateOf(controller: string): Promise<string | undefined>;
  advance(duration: number): Promise<void>;
}

/** Starts an engine on a new store; `before` fills that first. */
export async function bench(
  open: OpenStore,
  controllers: readonly Controller[],
  before: (store: Store) => Promise<unknown> = () => Promise.resolve(),
): Promise<Bench> {
  const clock = manualClock(at("2030-01-01"));
  const store = await open({ clock });
  await before(store);
  const engine = createEngine({ store, clock, random: seededRandom(1), controllers });
  await engine.start();
  await engine.settled();
  return {
    clock,
    store,
    engine,
    ...changesOf(store, engine),
    ...looksOf(store, engine),
    async advance(duration) {
      const end = after(clock.now(), duration);
      for (let next = clock.nextAlarm(); next !== undefined && next <= end;) {
        clock.advanceTo(next);
        await engine.settled();
        next = clock.nextAlarm();
      }
      clock.advanceTo(end);
      await engine.settled();
    },
    async [Symbol.asyncDispose]() {
      await engine.stop();
      await store.close();
    },
  };
}

type Changes = Pick<Bench, "create" | "update" | "teardown" | "destroy" | "hold" | "letGo">;

function changesOf(store: Store, engine: Engine): Changes {
  return {
    async create(kind, id, spec, options) {
      await store.create(kind, id, spec, options);
      await engine.settled();
    },
    async update(kind, id, recipe) {
      await store.modify(kind, id, recipe);
      await engine.settled();
    },
    async teardown(kind, id, owner = "") {
      const isReady = await store.teardown(pointerTo(kind, id), { owner });
      await engine.settled();
      return isReady;
    },
    async destroy(kind, id, owner = "") {
      await store.destroy(pointerTo(kind, id), { owner });
      await engine.settled();
    },
    async hold(kind, id, ...finalizers) {
      await store.addFinalizers(pointerTo(kind, id), ...finalizers);
      await engine.settled();
    },
    async letGo(kind, id, ...finalizers) {
      await store.dropFinalizers(pointerTo(kind, id), ...finalizers);
      await engine.settled();
    },
  };
}

function looksOf(store: Store, engine: Engine): Pick<Bench, "shows" | "reads" | "stateOf"> {
  return {
    async shows(kind, id, is) {
      await engine.settled();
      const found = await store.get(kind, id);
      if (found !== undefined && is(found)) return;
      const what = `${kind.type} ${id} is ${JSON.stringify(found)}`;
      if (store.core.atomic) assert.fail(what); // events have come before their commits resolved
      await store.watchFor(kind, id, { types: ["created", "updated"], matches: is });
    },
    async reads(kind, id, spec) {
      await engine.settled();
      const found = await store.get(kind, id);
      if (isDeepStrictEqual(found?.spec ?? null, spec)) return;
      if (store.core.atomic) assert.deepEqual(found?.spec ?? null, spec, `${kind.type} ${id}`);
      if (spec === null) await store.watchFor(kind, id, { types: ["destroyed"] });
      else
        await store.watchFor(kind, id, {
          types: ["created", "updated"],
          matches: (resource) => isDeepStrictEqual(resource.spec, spec),
        });
    },
    stateOf: async (controller) => (await store.get(ControllerStatus, controller))?.spec.state,
  };
}

/** Whether a resource has these finalizers. */
export const heldBy =
  (...finalizers: readonly string[]) =>
  ({ metadata }: Resource): boolean =>
    isDeepStrictEqual(metadata.finalizers, finalizers);

/** A resource that is running, or tearing down. */
export const inPhase =
  (phase: Resource["metadata"]["phase"]) =>
  ({ metadata }: Resource): boolean =>
    metadata.phase === phase;

/** Whatever it is. */
export const thereIs = (): boolean => true;
