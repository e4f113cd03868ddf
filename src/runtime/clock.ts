/**
 * The only place that asks what time it is. Everything else is given a {@link Clock}.
 */
import { instantOf, minutes, seconds, type Instant } from "./instant.ts";

/** Tells the time and rings alarms. */
export interface Clock {
  now(): Instant;
  /**
   * Calls `ring` once when the clock reaches `when`; at the next turn of the event loop when that is
   * in the past.
   *
   * @returns a function that cancels the alarm; calling it twice or after the ring does nothing
   */
  alarm(when: Instant, ring: () => void): () => void;
  /**
   * Calls `listener` each time after the clock was set, by how many milliseconds: negative when it was
   * set back. Alarms stay at their instants: who wants to wait for a duration has to set them anew.
   *
   * @returns a function that ends that; calling it twice does nothing
   */
  onStep(listener: (by: number) => void): () => void;
}

/** The longest that a clock sleeps at once, so that a step of the wall clock is noticed. */
const NAP_MS_MAX = minutes(1);
/** A clock that differs by more than this from the time that has passed was set, and not slewed. */
const STEP_MS_MIN = seconds(10);

/** By how much the wall clock is ahead of one that nobody sets. */
const lead = () => Date.now() - performance.now();

const followers = new Set<{ readonly listener: (by: number) => void }>();
let leadBefore = 0;
let watch: NodeJS.Timeout | undefined;

function lookForStep(): void {
  const leadNow = lead();
  const by = Math.round(leadNow - leadBefore);
  leadBefore = leadNow;
  if (Math.abs(by) > STEP_MS_MIN) for (const { listener } of [...followers]) listener(by);
}

/** Looks once a minute, all listeners together, and not at all without any. */
function followSteps(listener: (by: number) => void): () => void {
  if (followers.size === 0) {
    leadBefore = lead();
    watch = setInterval(lookForStep, NAP_MS_MAX).unref();
  }
  const follower = { listener };
  followers.add(follower);
  return () => {
    if (followers.delete(follower) && followers.size === 0) clearInterval(watch);
  };
}

/**
 * The wall clock of this machine. Its alarms never keep a process alive; that it was set is noticed
 * within a minute.
 */
export const systemClock: Clock = {
  now: () => instantOf(Date.now()),
  alarm(when, ring) {
    let timer: NodeJS.Timeout;
    const nap = () => {
      const left = when - Date.now();
      timer = setTimeout(left > NAP_MS_MAX ? nap : finish, Math.max(0, Math.min(left, NAP_MS_MAX)));
      timer.unref();
    };
    const finish = () => {
      if (Date.now() < when) nap();
      else ring();
    };
    nap();
    return () => {
      clearTimeout(timer);
    };
  },
  onStep: followSteps,
};

/** A clock that stands still until it is told to move. */
export interface ManualClock extends Clock {
  /** Moves to `when`, ringing alarms that fall due in the order of their instants. */
  advanceTo(when: Instant): void;
  /** Sets the time without ringing anything in between: a step, forward or back. */
  stepTo(when: Instant): void;
  /** The instant of the earliest alarm that is set. */
  nextAlarm(): Instant | undefined;
}

/** A clock for tests and simulation; two alarms of one instant ring in the order they were set. */
export function manualClock(start: Instant): ManualClock {
  let now = start;
  let alarms: { when: Instant; ring: () => void }[] = [];
  let stepped: { listener: (by: number) => void }[] = [];
  const earliest = () =>
    alarms.reduce<(typeof alarms)[number] | undefined>(
      (first, alarm) => (first === undefined || alarm.when < first.when ? alarm : first),
      undefined,
    );
  return {
    now: () => now,
    alarm(when, ring) {
      const entry = { when, ring };
      alarms.push(entry);
      return () => {
        alarms = alarms.filter((alarm) => alarm !== entry);
      };
    },
    onStep(listener) {
      const entry = { listener };
      stepped = [...stepped, entry];
      return () => {
        stepped = stepped.filter((other) => other !== entry);
      };
    },
    advanceTo(when) {
      for (let due = earliest(); due !== undefined && due.when <= when; due = earliest()) {
        const ringing = due;
        alarms = alarms.filter((alarm) => alarm !== ringing);
        if (ringing.when > now) now = ringing.when;
        ringing.ring();
      }
      if (when > now) now = when;
    },
    stepTo(when) {
      const by = when - now;
      now = when;
      for (const { listener } of stepped) listener(by);
    },
    nextAlarm: () => earliest()?.when,
  };
}
