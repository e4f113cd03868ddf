/** A watch of a server's store, which outlives its connection (cosi.md §5.6). */
import { status, type ClientReadableStream } from "@grpc/grpc-js";
import type { Subscriber } from "rxjs";
import type { Clock } from "../../clock.ts";
import { CodedError, WatchOverrunError } from "../../errors.ts";
import { after, minutes, seconds } from "../../instant.ts";
import { fraction, type Random } from "../../random.ts";
import {
  EventType,
  type Event,
  type StateClient,
  type WatchOptions,
  type WatchRequest,
  type WatchResponse,
} from "../../rpc/gen/v1alpha1/state.ts";
import type { Bookmark, WatchEvent } from "../store.ts";
import type { Arrivals, Reporter, Watching } from "./arrivals.ts";
import { isServiceError, RemoteStoreError, watchError } from "./errors.ts";
import type { Translation } from "./resources.ts";

const DELAY_FIRST = seconds(0.5);
const DELAY_GROWTH = 1.5;
const DELAY_MAX = minutes(1);
/** A delay is so much longer or shorter by chance, that not all come back at once. */
const DELAY_SPREAD = 0.5;

/** What a watch needs of its store. */
export interface WatchPorts {
  readonly client: StateClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly translation: Translation;
  readonly arrivals: Arrivals;
  readonly isClosed: () => boolean;
}

/** How a watch begins and what of it is passed on. */
export interface WatchPlan {
  readonly request: Omit<WatchRequest, "apiVersion">;
  readonly watching: Watching;
  /** Lets through what the subscriber asked for. */
  readonly passes: (event: WatchEvent) => boolean;
}

/** Follows a plan for a subscriber until it leaves, the watch fails for good, or the store closes. */
export class RemoteWatch {
  readonly #ports: WatchPorts;
  readonly #plan: WatchPlan;
  readonly #subscriber: Subscriber<readonly WatchEvent[]>;
  #stream: ClientReadableStream<WatchResponse> | undefined;
  #bookmark: Bookmark | undefined;
  #delay = DELAY_FIRST;
  #cancelAlarm: () => void = () => undefined;
  #over = false;
  /** Messages are read one after the other, though some may have to wait for a schema. */
  #reading: Promise<void> | undefined;

  constructor(plan: WatchPlan, ports: WatchPorts, subscriber: Subscriber<readonly WatchEvent[]>) {
    this.#plan = plan;
    this.#ports = ports;
    this.#subscriber = subscriber;
    this.#bookmark = plan.request.options?.startFromBookmark;
    this.#begin(plan.request);
  }

  /** Ends it; nothing more is told. */
  stop = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#cancelAlarm();
    this.#stream?.cancel();
  };

  /** Ends it as the end of its store. */
  complete(): void {
    this.stop();
    this.#subscriber.complete();
  }

  #begin(request: Omit<WatchRequest, "apiVersion">): void {
    const { client, arrivals } = this.#ports;
    const reporter = arrivals.follow(this.#plan.watching);
    const stream = client.watch({ ...request, apiVersion: 1 });
    this.#stream = stream;
    let isArmed = false;
    stream.on("data", ({ event }: WatchResponse) => {
      this.#delay = DELAY_FIRST;
      if (isArmed || event.length > 0) this.#inOrder(() => this.#take(event, reporter));
      if (!isArmed) this.#inOrder(() => reporter.armed());
      isArmed = true;
    });
    let isLeft = false;
    const leave = (error?: Error) => {
      if (isLeft) return; // a stream that fails ends besides
      isLeft = true;
      this.#inOrder(() => {
        reporter.left();
        this.#lost(error, isArmed);
      });
    };
    stream.once("error", leave);
    stream.once("end", () => leave());
  }

  /** Runs a step now, or after those that wait. */
  #inOrder(step: () => void | Promise<void>): void {
    if (this.#reading !== undefined) {
      const reading = this.#reading.then(step);
      this.#reading = reading;
      return;
    }
    const done = step();
    if (done === undefined) return;
    const reading = done.finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
  }

  #take(wire: readonly Event[], reporter: Reporter): void | Promise<void> {
    if (this.#over) return;
    let events: (WatchEvent | Promise<WatchEvent>)[];
    try {
      events = wire.map((event) => readEvent(event, this.#ports.translation));
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (!events.some((event) => event instanceof Promise)) {
      this.#tell(events as WatchEvent[], reporter);
      return;
    }
    return Promise.all(events.map(async (event) => event)).then(
      (read) => this.#tell(read, reporter),
      (error: unknown) => this.#fail(error),
    );
  }

  #tell(events: readonly WatchEvent[], reporter: Reporter): void {
    if (this.#over) return;
    for (const event of events) if ("bookmark" in event) this.#bookmark = event.bookmark;
    let passed: readonly WatchEvent[];
    try {
      passed = events.filter(this.#plan.passes);
    } catch (error) {
      this.#fail(error); // such as a query that throws
      return;
    }
    if (passed.length > 0) this.#subscriber.next(passed);
    reporter.told(events);
    if (events.at(-1)?.type === "errored") {
      this.stop();
      this.#subscriber.complete();
    }
  }

  /** Takes the watch up again, where it is known where it was. */
  #lost(error: unknown, wasArmed: boolean): void {
    if (this.#over) return;
    if (this.#bookmark === undefined || isFinal(error, wasArmed)) {
      this.#fail(error ?? new RemoteStoreError("the server ended the watch"));
      return;
    }
    const { clock, random } = this.#ports;
    const spread = 1 + DELAY_SPREAD * (2 * fraction(random) - 1);
    const begin = () => {
      this.#cancelAlarm();
      this.#begin({ ...this.#plan.request, options: this.#onward() });
    };
    const cancel = clock.alarm(after(clock.now(), this.#delay * spread), begin);
    const forget = clock.onStep(begin); // the instant may be years away then
    this.#cancelAlarm = () => {
      cancel();
      forget();
    };
    this.#delay = Math.min(this.#delay * DELAY_GROWTH, DELAY_MAX);
  }

  #onward(): WatchOptions | undefined {
    const { options } = this.#plan.request;
    return (
      options && {
        ...options,
        bootstrapContents: false,
        bootstrapBookmark: false,
        tailEvents: 0,
        startFromBookmark: this.#bookmark && Buffer.from(this.#bookmark),
      }
    );
  }

  #fail(cause: unknown): void {
    if (this.#over) return;
    this.stop();
    const error = watchError(cause, this.#ports.isClosed());
    if (error instanceof CodedError) {
      this.#subscriber.next([{ type: "errored", error }]);
      this.#subscriber.complete();
    } else this.#subscriber.error(error);
  }
}

/** Whether to ask again is no use: it was refused, or an event is too large to be received. */
const isFinal = (error: unknown, wasArmed: boolean): boolean =>
  isServiceError(error) &&
  (error.code === status.RESOURCE_EXHAUSTED || (refusals.has(error.code) && !wasArmed));

/** Statuses of a watch that is refused. */
const refusals: ReadonlySet<status> = new Set([
  status.FAILED_PRECONDITION,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
  status.PERMISSION_DENIED,
]);

function readEvent(
  { eventType, resource, old, error, bookmark }: Event,
  translation: Translation,
): WatchEvent | Promise<WatchEvent> {
  switch (eventType) {
    case EventType.BOOTSTRAPPED:
      return { type: "bootstrapped", bookmark: marked(bookmark) };
    case EventType.NOOP:
      return { type: "noop", bookmark: marked(bookmark) };
    case EventType.CREATED:
    case EventType.DESTROYED: {
      const type = eventType === EventType.CREATED ? "created" : "destroyed";
      return both(translation.read(resource), undefined, (now) => ({
        type,
        resource: now,
        ...(bookmark && { bookmark }),
      }));
    }
    case EventType.UPDATED:
      return both(translation.read(resource), translation.read(old), (now, before) => ({
        type: "updated",
        resource: now,
        old: before ?? now,
        ...(bookmark && { bookmark }),
      }));
    default:
      return {
        type: "errored",
        error: new WatchOverrunError(error ?? "the server ended the watch with an error"),
      };
  }
}

type Read = ReturnType<Translation["read"]>;
type Resource = Awaited<Read>;

const both = (
  now: Read,
  before: Read | undefined,
  event: (now: Resource, before: Resource | undefined) => WatchEvent,
): WatchEvent | Promise<WatchEvent> =>
  now instanceof Promise || before instanceof Promise
    ? Promise.all([now, before]).then(([after, old]) => event(after, old))
    : event(now, before);

function marked(bookmark: Bookmark | undefined): Bookmark {
  if (bookmark === undefined) throw new RemoteStoreError("the server sent no bookmark");
  return bookmark;
}
