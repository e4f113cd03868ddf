/**
 * Own writes and the watches of the same store: a write waits for the watches that began before it,
 * and is over when they have told of it. So who writes finds what it wrote in what it watches.
 */
import { formatPointer, type Pointer } from "../../errors.ts";
import type { Resource } from "../../resource.ts";
import type { Kind, WatchEvent } from "../store.ts";

/** A watch as writes see it. */
export interface Watching {
  readonly kind: Kind;
  /** Whether it will tell of a resource that is like this. */
  concerns(resource: Resource): boolean;
}

interface Follower {
  readonly watching: Watching;
  /** Settles when the watch is in effect, or never will be. */
  readonly armed: Promise<void>;
  readonly arm: () => void;
  readonly expected: Map<string, Expectation[]>;
}

/** A write that was sent. */
interface Expectation {
  readonly seen: WatchEvent[];
  arrived: (() => void) | undefined;
  fits: (event: WatchEvent) => boolean;
}

/** What a watch reports. */
export interface Reporter {
  /** It is in effect. */
  armed(): void;
  /** It has told of these. */
  told(events: readonly WatchEvent[]): void;
  /** It tells of nothing for now, or for good; nobody needs to wait. */
  left(): void;
}

/** The watches of one store. */
export class Arrivals {
  readonly #followers = new Set<Follower>();

  /** Takes up a watch. */
  follow(watching: Watching): Reporter {
    const { promise: armed, resolve: arm } = Promise.withResolvers<undefined>();
    const follower: Follower = { watching, armed, arm: () => arm(undefined), expected: new Map() };
    this.#followers.add(follower);
    return {
      armed: follower.arm,
      told: (events) => tell(follower, events),
      left: () => {
        this.#followers.delete(follower);
        follower.arm();
        for (const expected of follower.expected.values())
          for (const { arrived } of expected) arrived?.();
        follower.expected.clear();
      },
    };
  }

  /**
   * Writes, and waits until the watches that began before have told of it.
   *
   * @param write does it, and gives what the resource is then, or was when it was destroyed
   */
  async through(
    pointer: Pointer,
    write: () => Promise<{ readonly resource: Resource; readonly gone: boolean }>,
  ): Promise<Resource> {
    const followers = this.#of(pointer);
    await Promise.all(followers.map(({ armed }) => armed));
    const id = formatPointer(pointer);
    const expected = followers.map((follower) => expect(follower, id));
    try {
      const { resource, gone } = await write();
      await Promise.all(
        expected.map(async ({ follower, expectation }) =>
          follower.watching.concerns(resource) && this.#followers.has(follower)
            ? arrival(expectation, resource, gone)
            : undefined,
        ),
      );
      return resource;
    } finally {
      for (const { follower, expectation } of expected) forget(follower, id, expectation);
    }
  }

  #of({ namespace, type }: Pointer): Follower[] {
    return [...this.#followers].filter(
      ({ watching: { kind } }) => kind.namespace === namespace && kind.type === type,
    );
  }
}

function expect(follower: Follower, id: string) {
  const expectation: Expectation = { seen: [], arrived: undefined, fits: () => false };
  const others = follower.expected.get(id);
  if (others === undefined) follower.expected.set(id, [expectation]);
  else others.push(expectation);
  return { follower, expectation };
}

function forget({ expected }: Follower, id: string, expectation: Expectation): void {
  const others = expected.get(id)?.filter((other) => other !== expectation) ?? [];
  if (others.length === 0) expected.delete(id);
  else expected.set(id, others);
}

function tell({ expected }: Follower, events: readonly WatchEvent[]): void {
  if (expected.size === 0) return;
  for (const event of events) {
    if (!("resource" in event)) continue;
    for (const expectation of expected.get(formatPointer(event.resource.metadata)) ?? []) {
      if (expectation.arrived === undefined) expectation.seen.push(event);
      else if (expectation.fits(event)) expectation.arrived();
    }
  }
}

/** Waits for the event of a write, which may have come before the answer. */
function arrival(expectation: Expectation, { metadata }: Resource, gone: boolean): Promise<void> {
  const fits = (event: WatchEvent): boolean => {
    if (event.type === "destroyed") return gone;
    if (gone || !("resource" in event)) return false;
    return event.resource.metadata.version >= metadata.version;
  };
  if (expectation.seen.some(fits)) return Promise.resolve();
  return new Promise((resolve) => {
    expectation.fits = fits;
    expectation.arrived = resolve;
  });
}
