/** The members that are watching, and what wakes each of them. */
import { type Clock, ringAfter, seconds } from "#runtime";

/** A member hears at least so often; a little less than the minute that it counts on. */
const HEARD_EVERY = seconds(50);
/** And not more often than this: what changes meanwhile is told together. */
const APART = seconds(1);
/** One that comes back before its connection is known to be lost is there twice for a while. */
const SEATS_MAX = 3;

/** A place from which a member watches. */
export interface Seat {
  /** Resolves when there is something to tell, or the time has come; at once after the end. */
  next(): Promise<void>;
  /** Whether it is over: others of the same member took the places. */
  readonly isTaken: boolean;
  leave(): void;
}

/** Those who watch. */
export interface Audience {
  /** Takes a place until the signal, or until the member has too many: the oldest gives way. */
  seat(nodeId: string, signal: AbortSignal): Seat;
  /** What all are told has changed. */
  wakeAll(): void;
  /** What one is told has changed. */
  wake(nodeId: string): void;
}

interface Place extends Seat {
  wake(): void;
  take(): void;
}

/** Starts with nobody. */
export function openAudience(clock: Clock): Audience {
  const places = new Map<string, Set<Place>>();
  const of = (nodeId: string) => [...(places.get(nodeId) ?? [])];
  return {
    seat(nodeId, signal) {
      const own = places.get(nodeId) ?? new Set();
      places.set(nodeId, own);
      const place = openPlace(clock, signal, () => {
        own.delete(place);
        if (own.size === 0 && places.get(nodeId) === own) places.delete(nodeId);
      });
      own.add(place);
      if (own.size > SEATS_MAX) [...own][0]?.take();
      return place;
    },
    wakeAll() {
      for (const each of places.values()) for (const place of each) place.wake();
    },
    wake(nodeId) {
      for (const place of of(nodeId)) place.wake();
    },
  };
}

function openPlace(clock: Clock, signal: AbortSignal, onLeave: () => void): Place {
  const now = { isNews: false, isRested: false, isDue: false, isTaken: false };
  let look: () => void = () => undefined;
  const turn = (what: "isNews" | "isRested" | "isDue" | "isTaken") => () => {
    now[what] = true;
    look();
  };
  const rings = () => [
    ringAfter(clock, APART, turn("isRested")),
    ringAfter(clock, HEARD_EVERY, turn("isDue")),
  ];
  let ringing = rings();
  const silence = () => ringing.forEach((cancel) => cancel());
  return {
    get isTaken() {
      return now.isTaken;
    },
    wake: turn("isNews"),
    take() {
      onLeave();
      turn("isTaken")();
    },
    async next() {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      look = () => {
        const isTime = now.isDue || (now.isNews && now.isRested);
        if (isTime || now.isTaken || signal.aborted) resolve(undefined);
      };
      signal.addEventListener("abort", look);
      look();
      await promise;
      signal.removeEventListener("abort", look);
      silence();
      ringing = rings();
      Object.assign(now, { isNews: false, isRested: false, isDue: false });
    },
    leave() {
      silence();
      onLeave();
    },
  };
}
