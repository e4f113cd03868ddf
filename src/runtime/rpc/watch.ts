/** The Watch method (cosi.md §5.4, talosctl-wire.md §3.2). */
import { map, type Observable } from "rxjs";
import { UnsupportedError } from "../errors.ts";
import type { CoreStore, WatchEvent } from "../store/store.ts";
import { openBacklog } from "./backlog.ts";
import type { Sink } from "./call.ts";
import type { Resource as WireResource } from "./gen/v1alpha1/resource.ts";
import type { Event, WatchOptions, WatchRequest, WatchResponse } from "./gen/v1alpha1/state.ts";
import { readQuery } from "./query.ts";
import { InvalidRequestError } from "./status.ts";
import { wireEvent, type KindLookup } from "./wire.ts";

/** How far a caller may fall behind before its watch ends. */
export const LIVE_EVENTS_MAX = 10_000;
/** Where a message of an aggregated watch is cut; clients take 4 MiB by default. */
const MESSAGE_BYTES_MAX = 1 << 20;

/** What a watch is served from. */
export interface WatchSource {
  readonly core: CoreStore;
  readonly kindOf: KindLookup;
  readonly liveEventsMax?: number;
}

/**
 * Streams the events of one resource or of a kind. The first message is empty: it says that the
 * watch is armed. Ends when the caller goes, and after an ERRORED event.
 *
 * @throws {InvalidBookmarkError} {@link UnsupportedError} {@link InvalidRequestError}
 */
export async function streamWatch(
  request: WatchRequest,
  sink: Sink<WatchResponse>,
  { core, kindOf, liveEventsMax = LIVE_EVENTS_MAX }: WatchSource,
): Promise<void> {
  const isKind = request.id === undefined;
  const backlog = openBacklog(isKind ? kindEvents(request, core) : resourceEvents(request, core), {
    bootstrapping: isKind && request.options?.bootstrapContents === true,
    liveEventsMax,
  });
  sink.signal.addEventListener("abort", backlog.close);
  try {
    if (backlog.refusal) throw backlog.refusal;
    await sink.send({ event: [] });
    for (let batch = await backlog.next(); batch; batch = await backlog.next()) {
      const failed = batch.find((event) => event.type === "errored");
      const events = wireEvents(batch, request, kindOf);
      const aggregated = isKind && request.options?.aggregated === true;
      for (const message of aggregated ? chunks(events) : singles(events)) {
        // Most often nothing has to be waited for, and a turn of the loop per event is dear.
        const room = sink.send(message);
        if (room) await room;
      }
      // A caller that is not told of errors must at least see its stream fail.
      if (failed && request.apiVersion < 1) throw failed.error;
    }
  } catch (error) {
    if (!sink.signal.aborted) throw error;
  } finally {
    backlog.close();
  }
}

type Batches = Observable<readonly WatchEvent[]>;

const noOptions: WatchOptions = {
  bootstrapContents: false,
  tailEvents: 0,
  labelQuery: [],
  idQuery: undefined,
  aggregated: false,
  startFromBookmark: undefined,
  bootstrapBookmark: false,
};

/** Id queries, aggregation and the bootstrap bookmark mean nothing for one resource. */
function resourceEvents(
  { namespace, type, id = "", options }: WatchRequest,
  core: CoreStore,
): Batches {
  const { bootstrapContents, labelQuery, tailEvents, startFromBookmark } = options ?? noOptions;
  if (bootstrapContents) throw new UnsupportedError("a watch of one resource has no contents");
  if (labelQuery.length > 0) throw new UnsupportedError("a watch of one resource has no queries");
  if (tailEvents > 0) throw new UnsupportedError("tail events are not implemented");
  if (startFromBookmark) throw new UnsupportedError("a watch of one resource has no bookmarks");
  return core.watch({ namespace, type, id }).pipe(map((event) => [event]));
}

function kindEvents({ namespace, type, options }: WatchRequest, core: CoreStore): Batches {
  const { bootstrapContents, bootstrapBookmark, startFromBookmark, ...rest } = options ?? noOptions;
  if (rest.tailEvents > 0) throw new UnsupportedError("tail events are not implemented");
  if (bootstrapContents && startFromBookmark)
    throw new InvalidRequestError("a watch begins with the contents or at a bookmark, not both");
  const query = readQuery(rest.labelQuery, rest.idQuery);
  return core.watchKind(
    { namespace, type },
    {
      bootstrapContents,
      bootstrapBookmark,
      ...(query && { query }),
      ...(startFromBookmark && { startFromBookmark }),
    },
  );
}

function* wireEvents(
  events: readonly WatchEvent[],
  { apiVersion }: WatchRequest,
  kindOf: KindLookup,
): Generator<Event> {
  for (const event of events) {
    const isNew = event.type === "bootstrapped" || event.type === "errored";
    if (apiVersion >= 1 || !isNew) yield wireEvent(event, kindOf);
  }
}

function* singles(events: Iterable<Event>): Generator<WatchResponse> {
  for (const event of events) yield { event: [event] };
}

function* chunks(events: Iterable<Event>): Generator<WatchResponse> {
  let chunk: Event[] = [];
  let size = 0;
  for (const event of events) {
    chunk.push(event);
    size += sizeOf(event.resource) + sizeOf(event.old);
    if (size < MESSAGE_BYTES_MAX) continue;
    yield { event: chunk };
    chunk = [];
    size = 0;
  }
  if (chunk.length > 0) yield { event: chunk };
}

/** About how long the resource is on the wire; specs are what is large. */
const sizeOf = (resource: WireResource | undefined): number =>
  resource?.spec === undefined
    ? 0
    : 256 + resource.spec.protoSpec.length + resource.spec.yamlSpec.length;
