/**
 * What a backend implements. The one wrapper around it, with everything that is derived, is
 * `state.ts`; conformance cases hold both to COSI's semantics (cosi.md §2).
 */
import type { Observable } from "rxjs";
import type { CodedError, Pointer } from "../errors.ts";
import type { Query } from "../query.ts";
import type { Phase, Resource } from "../resource.ts";

/** The collection of a type in a namespace. */
export interface Kind {
  readonly namespace: string;
  readonly type: string;
}

/**
 * One change of one resource.
 *
 * - `create`: version, created, updated and owner are set by the store; the rest is taken from the
 *   resource
 * - `update`: `metadata.version` is the version that the change is based on; created is kept,
 *   version and updated are set by the store, the rest (the owner too: an unowned resource can be
 *   claimed) is taken from the resource. Refused unless the stored owner is `owner` and the
 *   stored phase is `expectedPhase` (default running)
 * - `destroy`: refused while there are finalizers, and unless the stored owner is `owner`; with
 *   `version`, also unless that is the stored one
 *
 * `owner` defaults to the empty string, which is nobody. A create in the place of a stored resource
 * that cannot be read is refused unless it has an owner, who can make it again, or says that it
 * `replacesDamaged`.
 */
export type Write =
  | {
      readonly op: "create";
      readonly resource: Resource;
      readonly owner?: string;
      readonly replacesDamaged?: boolean;
    }
  | {
      readonly op: "update";
      readonly resource: Resource;
      readonly owner?: string;
      readonly expectedPhase?: Phase | "any";
    }
  | {
      readonly op: "destroy";
      readonly pointer: Pointer;
      readonly owner?: string;
      readonly version?: number;
    };

/** A consistent view of the kinds that a snapshot was asked for, read synchronously. */
export interface View {
  get(pointer: Pointer): Resource | undefined;
  /** Sorted by id; an unknown kind is empty. */
  list(kind: Kind, query?: Query): readonly Resource[];
  /** Tells whether something is stored there that cannot be read: it is not there, and not gone. */
  isDamaged?(pointer: Pointer): boolean;
}

/** Opaque: where in the store's history an event stands. */
export type Bookmark = Uint8Array;

interface Presence<Type, Spec> {
  readonly type: Type;
  readonly resource: Resource<Spec>;
  readonly bookmark?: Bookmark;
}

interface Mark<Type> {
  readonly type: Type;
  readonly bookmark: Bookmark;
}

/** What a watch delivers (cosi.md §2.6). `errored` is the last event of its watch. */
export type WatchEvent<Spec = unknown> =
  | Presence<"created", Spec>
  | (Presence<"updated", Spec> & { readonly old: Resource<Spec> })
  | Presence<"destroyed", Spec>
  | Mark<"bootstrapped">
  | Mark<"noop">
  | { readonly type: "errored"; readonly error: CodedError };

/** The types of {@link WatchEvent}. */
export type EventType = WatchEvent["type"];

/** How a watch of one resource begins: with what is there, or with some of what was. */
export interface WatchOptions {
  /** Replays up to so many of the newest events that are remembered of that resource. */
  readonly tailEvents?: number;
  /** Replays what came after that event. */
  readonly startFromBookmark?: Bookmark;
}

/** How a watch of a kind begins and what it lets through. */
export interface WatchKindOptions {
  readonly query?: Query;
  /** First every matching resource as `created`, sorted by id, then `bootstrapped`. */
  readonly bootstrapContents?: boolean;
  /** One `noop` with a bookmark before live events. */
  readonly bootstrapBookmark?: boolean;
  /** Replays up to so many of the newest events of the kind that are remembered; then the query. */
  readonly tailEvents?: number;
  /** Replays what came after that event. */
  readonly startFromBookmark?: Bookmark;
}

/**
 * Makes the write that the stored resource calls for; nothing means that it is fine as it is.
 * Called synchronously, perhaps more than once; it cannot read the store.
 */
export type Decide = (stored: Resource | undefined) => Write | undefined;

/**
 * The minimum of a store. Values in and out are frozen and shared: what is read is what was written.
 * A subscription is in effect when `subscribe` returns for a store in this process, and the events
 * of a commit reach its subscribers before the promise of that commit resolves.
 */
export interface CoreStore {
  /** Whether `commit` applies all of its writes or none. */
  readonly atomic: boolean;
  get(pointer: Pointer): Promise<Resource | undefined>;
  /** Sorted by id; an unknown kind is empty. */
  list(kind: Kind, query?: Query): Promise<readonly Resource[]>;
  /**
   * Applies writes in order; resolves when they are as durable as the store makes them.
   *
   * @returns the stored resources, in the order of the writes; the last state for a destroy
   * @throws {NotFoundError} {@link ConflictError} and its subclasses: nothing was written
   */
  commit(writes: readonly Write[]): Promise<readonly Resource[]>;
  /**
   * Commits what `decide` makes of the resource that is stored, with nothing in between. A store
   * that cannot do that leaves it out, and the wrapper reads, commits and tries again.
   *
   * @returns the resource as it is then, or its last state when it was destroyed
   */
  edit?(pointer: Pointer, decide: Decide): Promise<Resource | undefined>;
  /** Calls `read` with a view in which no commit is half there. */
  snapshot<T>(kinds: readonly Kind[], read: (view: View) => T): Promise<T>;
  /**
   * One resource: first `created` with what is there, or `destroyed` with a tombstone (version 0),
   * then every change. With options it begins with what they replay instead.
   *
   * @throws {TypeError} when it is to begin in two ways, or with a number of events that is none
   */
  watch(pointer: Pointer, options?: WatchOptions): Observable<WatchEvent>;
  /**
   * A kind, in batches that are never empty; without options only what comes.
   *
   * @throws {TypeError} when it is to begin with two of the contents, tail events and a bookmark, or
   * with a number of events that is none
   */
  watchKind(kind: Kind, options?: WatchKindOptions): Observable<readonly WatchEvent[]>;
  close(): Promise<void>;
}
