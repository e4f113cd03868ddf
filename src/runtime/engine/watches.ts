/** The watches of an engine: one for each kind that some controller has to do with. */
import type { Kind } from "../store/store.ts";
import { Events, type Listener } from "./events.ts";
import { KindWatch, type KindWatchOptions } from "./kind-watch.ts";
import { kindKeyOf, kindsOf } from "./lane.ts";

interface Shared {
  readonly kind: Kind;
  readonly watch: KindWatch;
  readonly listeners: Set<Listener>;
}

/** Opens a watch when the first listener comes, and closes it when the last one leaves. */
export class Watches {
  readonly #options: Omit<KindWatchOptions, "kind" | "onChange">;
  readonly #events = new Events();
  readonly #shared = new Map<string, Shared>();
  #isClosed = false;

  constructor(options: Omit<KindWatchOptions, "kind" | "onChange">) {
    this.#options = options;
  }

  /**
   * From now on the listeners are told of changes. Resolves when they have been told of everything
   * that was there, or the engine stops.
   */
  async add(listeners: readonly Listener[]): Promise<void> {
    for (const listener of listeners) this.#events.add(listener);
    const opened: KindWatch[] = [];
    const begun: Promise<void>[] = [];
    for (const listener of listeners)
      for (const kind of kindsOf(listener.controller, listener.inputs)) {
        const { watch, listeners: others, isNew } = this.#sharedOf(kind);
        others.add(listener);
        if (isNew) opened.push(watch);
        else if (watch.hasBegun) this.#events.tellOf(kind, watch.known, listener);
        begun.push(watch.begun());
      }
    for (const watch of opened) watch.open();
    await Promise.all(begun);
  }

  /**
   * Changes the inputs of a listener: kinds that nobody else has to do with are not watched any
   * longer.
   */
  async change(listener: Listener, change: () => void): Promise<void> {
    this.#events.drop(listener);
    change();
    const added = this.add([listener]);
    const kept = new Set(kindsOf(listener.controller, listener.inputs).map(kindKeyOf));
    for (const [key, { watch, listeners }] of this.#shared) {
      if (kept.has(key) || !listeners.delete(listener) || listeners.size > 0) continue;
      watch.close();
      this.#shared.delete(key);
    }
    await added;
  }

  /** The clock was set: those that pause open now. */
  endPauses(): void {
    for (const { watch } of this.#shared.values()) watch.endPause();
  }

  close(): void {
    this.#isClosed = true;
    for (const { watch } of this.#shared.values()) watch.close();
  }

  #sharedOf(kind: Kind): Shared & { readonly isNew: boolean } {
    const key = kindKeyOf(kind);
    const known = this.#shared.get(key);
    if (known !== undefined) return { ...known, isNew: false };
    const watch = new KindWatch({
      ...this.#options,
      kind,
      onChange: this.#events.teller(kind),
    });
    if (this.#isClosed) watch.close();
    const shared = { kind, watch, listeners: new Set<Listener>() };
    this.#shared.set(key, shared);
    return { ...shared, isNew: !this.#isClosed };
  }
}
