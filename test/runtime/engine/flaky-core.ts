/** A core store between the engine and the real one, where tests put what goes wrong. */
import { filter, map, merge, Subject, takeUntil, type Observable } from "rxjs";
import type { CodedError } from "#runtime";
import {
  storeOver,
  type CoreStore,
  type Kind,
  type Store,
  type View,
  type WatchEvent,
} from "#runtime/store";

type Batch = readonly WatchEvent[];

/** What can go wrong. */
export class FlakyCore implements CoreStore {
  readonly atomic = true;
  /** Runs before each commit; may throw, may wait. */
  beforeCommit: (writes: Parameters<CoreStore["commit"]>[0]) => Promise<void> | void = () => {};
  /** Runs after each commit, before whoever asked for it knows. */
  afterCommit: () => Promise<void> | void = () => {};
  /** Runs before each snapshot; may throw. */
  beforeSnapshot: () => void = () => {};
  /** How often each kind was watched. */
  readonly watched: string[] = [];
  readonly #core: CoreStore;
  readonly #errors = new Subject<CodedError>();
  readonly #ends = new Subject<string | undefined>();

  constructor(core: CoreStore) {
    this.#core = core;
  }

  /** Ends all watches that there are, as a store does that cannot go on. */
  failWatches(error: CodedError): void {
    this.#errors.next(error);
  }

  /** Ends all watches, or those of one type, without a word. */
  endWatches(type?: string): void {
    this.#ends.next(type);
  }

  readonly get: CoreStore["get"] = (pointer) => this.#core.get(pointer);
  readonly list: CoreStore["list"] = (kind, query) => this.#core.list(kind, query);
  readonly watch: CoreStore["watch"] = (pointer) => this.#core.watch(pointer);

  async snapshot<T>(kinds: readonly Kind[], read: (view: View) => T): Promise<T> {
    this.beforeSnapshot();
    return this.#core.snapshot(kinds, read);
  }

  async commit(writes: Parameters<CoreStore["commit"]>[0]) {
    await this.beforeCommit(writes);
    const stored = await this.#core.commit(writes);
    await this.afterCommit();
    return stored;
  }

  watchKind(kind: Kind, options?: Parameters<CoreStore["watchKind"]>[1]): Observable<Batch> {
    this.watched.push(kind.type);
    const errors = this.#errors.pipe(map((error): Batch => [{ type: "errored", error }]));
    return merge(this.#core.watchKind(kind, options), errors).pipe(
      takeUntil(this.#ends.pipe(filter((type) => type === undefined || type === kind.type))),
    );
  }

  close(): Promise<void> {
    return this.#core.close();
  }
}

/** For `wrap` of mount: the engine sees the flaky store, the test the real one. */
export function flaky(): { core: () => FlakyCore; wrap: (store: Store) => Store } {
  let core: FlakyCore | undefined;
  return {
    core() {
      if (core === undefined) throw new Error("not mounted yet");
      return core;
    },
    wrap(store) {
      core = new FlakyCore(store.core);
      return storeOver(core);
    },
  };
}
