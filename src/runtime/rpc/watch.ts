/** The Watch method (cosi.md §5.4, talosctl-wire.md §3.2). */
import { map } from "rxjs";
import { UnsupportedError } from "../errors.ts";
import { tombstone } from "../store/change.ts";
import type { Bookmark, CoreStore, WatchEvent, WatchKindOptions } from "../store/store.ts";
import { openBacklog, type Batches } from "./backlog.ts";
import type { Sink } from "./call.ts";
import { eventBytes, messagesOf } from "./events.ts";
import type { WatchOptions as WireOptions, WatchRequest } from "./gen/v1alpha1/state.ts";
import { readQuery } from "./query.ts";
import { InvalidRequestError } from "./status.ts";
import type { ResourceBytes } from "./wire.ts";

/** How much may wait for a caller before its watch ends. */
export const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** Where a message is cut; clients take 4 MiB by default. */
const MESSAGE_BYTES_MAX = 128 * 1024;

/** What a watch is served from. */
export interface WatchSource {
  readonly core: CoreStore;
  /** How many bytes of events may wait for a caller of Watch. Default 64 MiB. */
  readonly pendingBytesMax?: number;
  /**
   * Whether a caller with more events to come than that is served on from the log of the store, and
   * not told that it fell behind. For stores whose log is on disk.
   */
  readonly resumesFromLog?: boolean;
}

/** The message that says that the watch is armed. */
const armed = Buffer.alloc(0);

/**
 * Streams the events of one resource or of a kind, as many to a message as there are. The first
 * message is empty: it says that the watch is armed. Ends when the caller goes, and after an ERRORED
 * event.
 *
 * @throws {InvalidBookmarkError} {@link UnsupportedError} {@link InvalidRequestError}
 */
export async function streamWatch(
  request: WatchRequest,
  sink: Sink<Buffer>,
  { core, pendingBytesMax = PENDING_BYTES_MAX, resumesFromLog = false }: WatchSource,
  bytesOf: ResourceBytes,
): Promise<void> {
  const { id, apiVersion, options = noOptions } = request;
  const { begin, resume } =
    id === undefined ? ofKind(request, core) : ofResource(request, id, core);
  const { namespace, type } = request;
  const subject = bytesOf(tombstone({ namespace, type, id: "" }));
  const encode = (event: WatchEvent) =>
    apiVersion < 1 && isNew(event) ? nothing : eventBytes(event, bytesOf, subject);
  const backlog = openBacklog(begin, {
    bootstrapping: id === undefined && options.bootstrapContents,
    bytesMax: pendingBytesMax,
    encode,
    ...(resumesFromLog && { resume }),
  });
  sink.signal.addEventListener("abort", backlog.close);
  try {
    if (backlog.refusal) throw backlog.refusal;
    await sink.deliver(armed);
    for (let entries = await backlog.next(); entries; entries = await backlog.next())
      for (const message of messagesOf(entries, MESSAGE_BYTES_MAX)) await sink.deliver(message);
    // A caller that is not told of errors must at least see its stream fail.
    if (backlog.failure && apiVersion < 1) throw backlog.failure;
  } catch (error) {
    if (!sink.signal.aborted) throw error;
  } finally {
    sink.signal.removeEventListener("abort", backlog.close);
    backlog.close();
  }
}

const nothing = Buffer.alloc(0);

/** What clients of the first version of the API do not know. */
const isNew = ({ type }: WatchEvent): boolean =>
  type === "bootstrapped" || type === "errored" || type === "noop";

const noOptions: WireOptions = {
  bootstrapContents: false,
  tailEvents: 0,
  labelQuery: [],
  idQuery: undefined,
  aggregated: false,
  startFromBookmark: undefined,
  bootstrapBookmark: false,
};

/** A watch, and how it is taken up again. */
interface Plan {
  readonly begin: Batches;
  readonly resume: (bookmark: Bookmark) => Batches;
}

/** Id queries, aggregation and the bootstrap bookmark mean nothing for one resource. */
function ofResource({ namespace, type, options }: WatchRequest, id: string, core: CoreStore): Plan {
  const { bootstrapContents, labelQuery, tailEvents, startFromBookmark } = options ?? noOptions;
  if (bootstrapContents) throw new UnsupportedError("a watch of one resource has no contents");
  if (labelQuery.length > 0) throw new UnsupportedError("a watch of one resource has no queries");
  checkBeginning({ tailEvents, startFromBookmark });
  const watch = (how: Beginning) =>
    core.watch({ namespace, type, id }, how).pipe(map((event) => [event]));
  return {
    begin: watch(beginning({ tailEvents, startFromBookmark })),
    resume: (bookmark) => watch({ startFromBookmark: bookmark }),
  };
}

function ofKind({ namespace, type, options = noOptions }: WatchRequest, core: CoreStore): Plan {
  const { bootstrapContents, bootstrapBookmark, labelQuery, idQuery } = options;
  checkBeginning(options);
  const query = readQuery(labelQuery, idQuery);
  const watch = (how: WatchKindOptions) =>
    core.watchKind({ namespace, type }, { ...how, ...(query && { query }) });
  return {
    begin: watch({ bootstrapContents, bootstrapBookmark, ...beginning(options) }),
    resume: (bookmark) => watch({ startFromBookmark: bookmark }),
  };
}

type Beginning = Pick<WatchKindOptions, "tailEvents" | "startFromBookmark">;

/** A number of tail events that is not positive means none, as for COSI. */
const beginning = ({
  tailEvents,
  startFromBookmark,
}: Pick<WireOptions, "tailEvents" | "startFromBookmark">): Beginning => ({
  ...(tailEvents > 0 && { tailEvents }),
  ...(startFromBookmark && { startFromBookmark }),
});

function checkBeginning({
  bootstrapContents = false,
  tailEvents,
  startFromBookmark,
}: Partial<WireOptions> & Pick<WireOptions, "tailEvents">): void {
  const ways = [bootstrapContents, tailEvents > 0, startFromBookmark !== undefined];
  if (ways.filter(Boolean).length > 1)
    throw new InvalidRequestError(
      "a watch begins with the contents, with tail events or at a bookmark: with one of these",
    );
}
