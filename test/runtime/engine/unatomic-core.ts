/** A store that applies one write at a time, and tells of changes a turn later, as a remote one does. */
import { observeOn, asapScheduler } from "rxjs";
import type { CoreStore, Write } from "#runtime/store";

export class Unatomic implements CoreStore {
  readonly atomic = false;
  /** Each write, in the order in which they came. */
  readonly writes: Write[] = [];
  /** Called before each write; may throw. */
  beforeWrite: (write: Write) => Promise<void> | void = () => {};
  readonly #core: CoreStore;

  constructor(core: CoreStore) {
    this.#core = core;
  }

  readonly get: CoreStore["get"] = (pointer) => this.#core.get(pointer);
  readonly list: CoreStore["list"] = (kind, query) => this.#core.list(kind, query);
  readonly snapshot: CoreStore["snapshot"] = (kinds, read) => this.#core.snapshot(kinds, read);
  readonly watch: CoreStore["watch"] = (...args) =>
    this.#core.watch(...args).pipe(observeOn(asapScheduler));
  readonly watchKind: CoreStore["watchKind"] = (...args) =>
    this.#core.watchKind(...args).pipe(observeOn(asapScheduler));
  readonly close: CoreStore["close"] = () => this.#core.close();

  async commit(writes: readonly Write[]) {
    const [write, ...others] = writes;
    if (write === undefined || others.length > 0) throw new TypeError("one write at a time");
    await this.beforeWrite(write);
    this.writes.push(write);
    return this.#core.commit(writes);
  }
}
