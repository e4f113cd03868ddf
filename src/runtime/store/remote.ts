/** A store that lives behind a server: `cosi.resource.State` from the other side. */
import { status } from "@grpc/grpc-js";
import { Observable } from "rxjs";
import { systemClock, type Clock } from "../clock.ts";
import { formatPointer, NotFoundError, VersionConflictError, type Pointer } from "../errors.ts";
import { byId, matches, type Query } from "../query.ts";
import { systemRandom, type Random } from "../random.ts";
import type { AnyResourceType, Resource } from "../resource.ts";
import type {
  CreateResponse,
  GetResponse,
  StateClient,
  UpdateResponse,
  WatchOptions as WireOptions,
} from "../rpc/gen/v1alpha1/state.ts";
import { lookupOf } from "../rpc/wire.ts";
import { StoreClosedError } from "./closed.ts";
import { freezeJson } from "./json-value.ts";
import { oneByOne } from "./one-by-one.ts";
import { pointerOf } from "./preconditions.ts";
import { Arrivals } from "./remote/arrivals.ts";
import { all, connectTo, reply, Turns } from "./remote/calls.ts";
import { callError, isServiceError, writeError } from "./remote/errors.ts";
import { wireQueries } from "./remote/queries.ts";
import { translation, type Translation } from "./remote/resources.ts";
import { RemoteWatch, type WatchPlan } from "./remote/watch.ts";
import { storeOver, type Store } from "./state.ts";
import type {
  CoreStore,
  Kind,
  View,
  WatchEvent,
  WatchKindOptions,
  WatchOptions,
  Write,
} from "./store.ts";
import { checkWatchOptions } from "./watch-options.ts";

export { RemoteStoreError, StoreUnreachableError } from "./remote/errors.ts";

/** Options of {@link openRemoteStore}. */
export interface RemoteStoreOptions {
  /** `unix:PATH`, or `127.0.0.1:PORT`: there is no TLS. */
  readonly address: string;
  /** Kinds whose specs are decoded; those of others are opaque. */
  readonly kinds: readonly AnyResourceType[];
  /** Tells when to try again. Default: the system's. */
  readonly clock?: Clock;
  /** Spreads the tries. Default: the system's. */
  readonly random?: Random;
}

/**
 * Opens a store behind a server; nothing is dialed before the first operation. Commits of several
 * writes are applied one by one, and a snapshot is as many reads as kinds. A watch that loses its
 * connection goes on from its last bookmark for as long as the server knows it.
 */
export function openRemoteStore(options: RemoteStoreOptions): Store {
  return storeOver(new RemoteStore(options));
}

const noOptions: WireOptions = {
  bootstrapContents: false,
  tailEvents: 0,
  labelQuery: [],
  idQuery: undefined,
  aggregated: false,
  startFromBookmark: undefined,
  bootstrapBookmark: false,
};

class RemoteStore implements CoreStore {
  readonly atomic = false;
  readonly #client: StateClient;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #translation: Translation;
  readonly #arrivals = new Arrivals();
  readonly #turns = new Turns();
  readonly #watches = new Set<RemoteWatch>();
  #closed = false;

  constructor(options: RemoteStoreOptions) {
    this.#client = connectTo(options.address);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#translation = translation(lookupOf(options.kinds));
  }

  async get({ namespace, type, id }: Pointer): Promise<Resource | undefined> {
    const request = { namespace, type, id, options: undefined };
    try {
      this.#check();
      const { resource } = await this.#turns.take(() =>
        reply<GetResponse>((done) => this.#client.get(request, done)),
      );
      return await this.#translation.read(resource);
    } catch (error) {
      if (isServiceError(error) && error.code === status.NOT_FOUND) return undefined;
      throw callError(error, this.#closed);
    }
  }

  async list({ namespace, type }: Kind, query?: Query): Promise<readonly Resource[]> {
    const options = { labelQuery: wireQueries(query), idQuery: undefined };
    try {
      this.#check();
      const replies = await this.#turns.take(() =>
        all(this.#client.list({ namespace, type, options })),
      );
      const resources = await Promise.all(
        replies.map(async ({ resource }) => this.#translation.read(resource)),
      );
      return Object.freeze(resources.filter(({ metadata }) => matches(query, metadata)));
    } catch (error) {
      throw callError(error, this.#closed);
    }
  }

  async commit(writes: readonly Write[]): Promise<readonly Resource[]> {
    const written: Resource[] = [];
    for (const write of writes) {
      this.#check();
      checkWrite(write);
      written.push(await this.#arrivals.through(pointerOf(write), () => this.#write(write)));
    }
    return written;
  }

  /** The kinds are read one after the other: what happens in between shows in the later ones. */
  async snapshot<T>(kinds: readonly Kind[], read: (view: View) => T): Promise<T> {
    const lists = new Map<string, readonly Resource[]>();
    for (const kind of kinds) lists.set(nameOf(kind), await this.list(kind));
    const list = (kind: Kind, query?: Query) =>
      (lists.get(nameOf(kind)) ?? []).filter(({ metadata }) => matches(query, metadata)).sort(byId);
    return read({
      list,
      get: (pointer) => list(pointer).find(({ metadata }) => metadata.id === pointer.id),
    });
  }

  watch(pointer: Pointer, options: WatchOptions = {}): Observable<WatchEvent> {
    checkWatchOptions(options);
    const { namespace, type, id } = pointer;
    return oneByOne(
      this.#watch({
        request: { namespace, type, id, options: { ...noOptions, ...beginning(options) } },
        watching: { kind: pointer, concerns: ({ metadata }) => metadata.id === id },
        passes: () => true,
      }),
    );
  }

  watchKind(kind: Kind, options: WatchKindOptions = {}): Observable<readonly WatchEvent[]> {
    checkWatchOptions(options);
    const { query, bootstrapContents = false, bootstrapBookmark = false } = options;
    const { namespace, type } = kind;
    const request: WatchPlan["request"] = {
      ...{ namespace, type, id: undefined },
      options: {
        ...noOptions,
        ...beginning(options),
        labelQuery: wireQueries(query),
        aggregated: true,
        bootstrapContents,
        // Without any bookmark a watch cannot be taken up again.
        bootstrapBookmark: bootstrapBookmark || !bootstrapContents,
      },
    };
    const ids = query?.id;
    return this.#watch({
      request,
      watching: {
        kind,
        concerns: ({ metadata }) => matches({ labels: query?.labels ?? [] }, metadata),
      },
      passes: (event) => {
        if (event.type === "noop") return bootstrapBookmark;
        return !("resource" in event) || (ids?.test(event.resource.metadata.id) ?? true);
      },
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const watch of [...this.#watches]) watch.complete();
    this.#client.close();
  }

  #check(): void {
    if (this.#closed) throw new StoreClosedError();
  }

  #watch(plan: WatchPlan): Observable<readonly WatchEvent[]> {
    return new Observable((subscriber) => {
      if (this.#closed) {
        subscriber.next([{ type: "errored", error: new StoreClosedError() }]);
        subscriber.complete();
        return undefined;
      }
      const ports = {
        ...{ client: this.#client, clock: this.#clock, random: this.#random },
        ...{ translation: this.#translation, arrivals: this.#arrivals },
        isClosed: () => this.#closed,
      };
      const watch = new RemoteWatch(plan, ports, subscriber);
      this.#watches.add(watch);
      return () => {
        this.#watches.delete(watch);
        watch.stop();
      };
    });
  }

  async #write(write: Write): Promise<{ readonly resource: Resource; readonly gone: boolean }> {
    try {
      if (write.op === "destroy") return { resource: await this.#destroy(write), gone: true };
      const { resource } = await (write.op === "create"
        ? this.#create(write)
        : this.#update(write));
      return { resource: await this.#translation.read(resource), gone: false };
    } catch (error) {
      throw writeError(error, write, this.#closed);
    }
  }

  #create({ resource, owner = "" }: Write & { op: "create" }) {
    // The owner that is stored is the one in whose name it is created.
    const metadata = { ...resource.metadata, owner };
    const wire = this.#translation.wire({ ...resource, metadata: { ...metadata, version: 1 } });
    return this.#turns.take(() =>
      reply<CreateResponse>((done) =>
        this.#client.create({ resource: wire, options: { owner } }, done),
      ),
    );
  }

  #update({ resource, owner = "", expectedPhase = "running" }: Write & { op: "update" }) {
    const newResource = this.#translation.wire(resource);
    const phase = expectedPhase === "any" ? undefined : expectedPhase;
    const options = { owner, expectedPhase: phase };
    return this.#turns.take(() =>
      reply<UpdateResponse>((done) => this.#client.update({ newResource, options }, done)),
    );
  }

  /** The wire knows no version to insist on, and tells nothing of what was destroyed. */
  async #destroy({ pointer, owner = "", version }: Write & { op: "destroy" }): Promise<Resource> {
    const { namespace, type, id } = pointer;
    const last = await this.get(pointer);
    if (last === undefined) throw new NotFoundError({ namespace, type, id });
    const stored = last.metadata.version;
    if (version !== undefined && last.metadata.owner === owner && stored !== version)
      throw new VersionConflictError({ namespace, type, id }, stored, version);
    const request = { namespace, type, id, options: { owner } };
    await this.#turns.take(() => reply((done) => this.#client.destroy(request, done)));
    return last;
  }
}

const nameOf = ({ namespace, type }: Kind): string => `${type}(${namespace})`;

const beginning = ({ tailEvents, startFromBookmark }: WatchOptions): Partial<WireOptions> => ({
  ...(tailEvents !== undefined && { tailEvents }),
  ...(startFromBookmark && { startFromBookmark: Buffer.from(startFromBookmark) }),
});

/** @throws {TypeError} for what no store takes: a message would hold something else instead */
function checkWrite(write: Write): void {
  const pointer = pointerOf(write);
  if (!nameOf(pointer).isWellFormed() || !pointer.id.isWellFormed())
    throw new TypeError(`the address ${formatPointer(pointer)} has half a character in it`);
  if (write.op === "destroy") return;
  const odd = freezeJson(write.resource.spec);
  if (odd !== undefined)
    throw new TypeError(`spec${odd} of ${formatPointer(pointer)} is not a JSON value`);
}
