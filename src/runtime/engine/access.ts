/** The store as a controller may use it by itself (cosi.md §6.3). */
import type { Access } from "../access.ts";
import { ControllerAccessError } from "../controller-errors.ts";
import { NotFoundError, type Pointer } from "../errors.ts";
import { pointerTo } from "../resource.ts";
import type { Store } from "../store/state.ts";
import type { Kind } from "../store/store.ts";
import type { Lane } from "./lane.ts";

/** What access is made of. */
export interface AccessOptions {
  readonly store: Store;
  readonly lane: Lane;
  /** Aborted when the engine stops, or the run ends that it is for. */
  readonly signal: AbortSignal;
}

/** Checks each call against what the controller declares at that moment. */
export function controllerAccess({ store, lane, signal }: AccessOptions): Access {
  return { ...readsOf(store, lane, signal), ...writesOf(store, lane), ...holdsOf(store, lane) };
}

type Reads = Pick<Access, "get" | "list" | "whileRunning">;

function readsOf(store: Store, lane: Lane, signal: AbortSignal): Reads {
  return {
    get: async (kind, id, { namespace = kind.namespace } = {}) => {
      checkRead(lane, pointerTo({ type: kind.type, namespace }, id));
      lane.tally.reads++;
      return store.get(kind, id, { namespace });
    },
    list: async (kind, { namespace = kind.namespace, ...query } = {}) => {
      checkList(lane, { type: kind.type, namespace });
      lane.tally.reads++;
      return store.list(kind, { ...query, namespace });
    },
    whileRunning: (pointer) => {
      checkRead(lane, pointer);
      lane.tally.reads++;
      return whileRunning(store, pointer, signal);
    },
  };
}

function whileRunning(store: Store, pointer: Pointer, stopping: AbortSignal): AbortSignal {
  const ending = new AbortController();
  const end = (cause: unknown) => {
    watching.unsubscribe();
    ending.abort(cause);
  };
  const watching = store.core.watch(pointer).subscribe({
    next: (event) => {
      if (event.type === "errored") queueMicrotask(() => end(event.error));
      else if (event.type === "destroyed") queueMicrotask(() => end(new NotFoundError(pointer)));
      else if ("resource" in event && event.resource.metadata.phase === "tearingDown")
        queueMicrotask(() => end(new Error("the resource is torn down")));
    },
    error: (error: unknown) => queueMicrotask(() => end(error)),
  });
  const stop = () => end(stopping.reason);
  if (stopping.aborted) stop();
  else stopping.addEventListener("abort", stop, { once: true, signal: ending.signal });
  return ending.signal;
}

type Writes = Pick<Access, "create" | "modify" | "teardown" | "destroy">;

function writesOf(store: Store, lane: Lane): Writes {
  const { name } = lane.controller;
  return {
    create: async (kind, id, spec, options) => {
      checkWrite(lane, pointerTo(kind, id));
      lane.tally.writes++;
      return store.create(kind, id, spec, { owner: name, ...options });
    },
    modify: async (kind, id, recipe, options) => {
      checkWrite(lane, pointerTo(kind, id));
      lane.tally.reads++;
      lane.tally.writes++;
      return store.modify(kind, id, recipe, { owner: name, ...options });
    },
    teardown: async (pointer, options) => {
      checkWrite(lane, pointer);
      lane.tally.writes++;
      return store.teardown(pointer, { owner: name, ...options });
    },
    destroy: async (pointer, options) => {
      checkWrite(lane, pointer);
      lane.tally.writes++;
      await store.destroy(pointer, { owner: name, ...options });
    },
  };
}

type Holds = Pick<Access, "addFinalizers" | "dropFinalizers">;

function holdsOf(store: Store, lane: Lane): Holds {
  return {
    addFinalizers: async (pointer, ...finalizers) => {
      checkHold(lane, pointer);
      lane.tally.writes++;
      await store.addFinalizers(pointer, ...finalizers);
    },
    dropFinalizers: async (pointer, ...finalizers) => {
      checkHold(lane, pointer);
      lane.tally.writes++;
      try {
        await store.dropFinalizers(pointer, ...finalizers);
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    },
  };
}

const isOutput = ({ controller }: Lane, { type }: Pick<Kind, "type">): boolean =>
  Object.values(controller.outputs).some(({ kind }) => kind.type === type);

const inputsOf = ({ inputs }: Lane, { namespace, type }: Kind) =>
  Object.values(inputs).filter(
    (input) => input.namespace === namespace && input.kind.type === type,
  );

const isInput = (lane: Lane, pointer: Pointer): boolean =>
  inputsOf(lane, pointer).some(({ id }) => id === undefined || id === pointer.id);

function checkRead(lane: Lane, pointer: Pointer): void {
  if (!isOutput(lane, pointer) && !isInput(lane, pointer))
    throw new ControllerAccessError(pointer, lane.controller.name, "read");
}

function checkList(lane: Lane, kind: Kind): void {
  if (!isOutput(lane, kind) && inputsOf(lane, kind).every(({ id }) => id !== undefined))
    throw new ControllerAccessError({ ...kind, id: "*" }, lane.controller.name, "list");
}

function checkWrite(lane: Lane, pointer: Pointer): void {
  if (!isOutput(lane, pointer))
    throw new ControllerAccessError(pointer, lane.controller.name, "write");
}

/** Finalizers go on strong inputs, and on any input of a queued controller. */
function checkHold(lane: Lane, pointer: Pointer): void {
  const mayHold = inputsOf(lane, pointer).some(
    ({ id, strong, destroyReady }) =>
      (id === undefined || id === pointer.id) &&
      (strong || (lane.each !== undefined && !destroyReady)),
  );
  if (!mayHold) throw new ControllerAccessError(pointer, lane.controller.name, "hold");
}
