/**
 * What goes wrong, as data. Before a simulation begins each seed draws how often each kind of fault
 * comes to each node, often never, and then when and how: that list is what a failure is shrunk to.
 */
import { after, days, hours, minutes, seconds, type Instant } from "../instant.ts";
import { streamOf, type Stream } from "./kernel/streams.ts";
import type { CrashPoint } from "./disk.ts";
import type { Scenario } from "./scenario.ts";
import { watchEnds, type WatchEnd } from "./faulty-core.ts";

/** One thing that goes wrong, or that somebody does. Durations are in milliseconds. */
export type SimulationEvent = { readonly at: Instant; readonly node: string } & (
  | { readonly kind: "crash"; readonly point: CrashPoint | "idle"; readonly down: number }
  | { readonly kind: "restart"; readonly down: number }
  | { readonly kind: "pause"; readonly for: number }
  | { readonly kind: "writeFails"; readonly after: number; readonly commits: number }
  | { readonly kind: "writeLate"; readonly for: number }
  | { readonly kind: "commitsLost"; readonly for: number; readonly down: number }
  | { readonly kind: "diskFull"; readonly for: number }
  | ({ readonly kind: "watchEnds"; readonly end: WatchEnd; readonly again: number } & {
      readonly which?: number;
    })
  | { readonly kind: "watchLags"; readonly for: number }
  | { readonly kind: "clockSkew"; readonly by: number }
  | { readonly kind: "clockDrift"; readonly ppm: number; readonly for: number }
  | ({ readonly kind: "clockStep"; readonly by: number } & Noticed)
  | { readonly kind: "bootIn1970"; readonly for: number; readonly down: number }
  | { readonly kind: "partition"; readonly for: number; readonly which?: number }
  | { readonly kind: "messagesLost"; readonly for: number; readonly part: number }
  | { readonly kind: "messagesTwice"; readonly for: number; readonly part: number }
  | { readonly kind: "messagesLate"; readonly for: number; readonly by: number }
  | { readonly kind: "operation"; readonly name: string }
);

interface Noticed {
  /** Until it is set right again. */
  readonly for: number;
  /** Until a process looks at the clock, which it does once a minute. */
  readonly noticed: number;
}

export type FaultKind = Exclude<SimulationEvent["kind"], "operation">;

/** How often a day a fault comes at most, and how bad it is at most. */
export interface Bound {
  readonly rate: number;
  /** The longest that it lasts, in milliseconds. */
  readonly for?: number;
  /** The longest that a node is down, in milliseconds. */
  readonly down?: number;
  /** The furthest that a clock is moved, in milliseconds. */
  readonly by?: number;
}

/** Upper bounds: how often a day, or that and how bad. */
export type FaultBounds = Readonly<Partial<Record<FaultKind, number | Bound>>>;

/** How bad a fault of each kind is unless a scenario says otherwise, and what else is drawn of it. */
interface Row {
  readonly usual: Required<Omit<Bound, "rate">>;
  readonly draw: (stream: Stream, bound: Required<Bound>) => object;
}

const usual = { for: minutes(10), down: minutes(10), by: minutes(10) };
const row = (draw: Row["draw"], others: Partial<Row["usual"]> = {}): Row => ({
  usual: { ...usual, ...others },
  draw,
});

/** Short ones are as likely as those of twice the length; by exact arithmetic, as on any machine. */
const duration = (stream: Stream, most: number) =>
  Math.ceil((most / 2 ** stream.below(10)) * stream.between(0.5, 1));
const signed = (stream: Stream, most: number) =>
  Math.round(stream.between(-1, 1) * most) || Math.ceil(most);
const oneOf = <T>(stream: Stream, list: readonly T[]): T => list[stream.below(list.length)] as T;

const kinds: Readonly<Record<FaultKind, Row>> = {
  crash: row((stream, { down }) => ({
    point: oneOf(stream, ["idle", "before commit", "after commit", "after commit"]),
    down: duration(stream, down),
  })),
  restart: row((stream, { down }) => ({ down: duration(stream, down) })),
  pause: row((stream, { for: most }) => ({ for: duration(stream, most) })),
  writeFails: row((stream) => ({ after: stream.below(4), commits: 1 + stream.below(4) })),
  writeLate: row((stream, { for: most }) => ({ for: duration(stream, most) }), {
    for: seconds(30),
  }),
  commitsLost: row(
    (stream, { for: most, down }) => ({
      for: duration(stream, most),
      down: duration(stream, down),
    }),
    { for: days(1) },
  ),
  diskFull: row((stream, { for: most }) => ({ for: duration(stream, most) }), { for: days(1) }),
  watchEnds: row((stream) => ({
    end: oneOf(stream, watchEnds),
    again: stream.fraction() < 0.5 ? 0 : stream.below(8),
    ...(stream.fraction() < 0.7 && { which: stream.fraction() }),
  })),
  watchLags: row((stream, { for: most }) => ({ for: duration(stream, most) })),
  clockSkew: row((stream, { by }) => ({ by: signed(stream, by) })),
  clockDrift: row(
    (stream, { for: most }) => ({
      ppm: signed(stream, 200),
      for: duration(stream, most),
    }),
    { for: days(30) },
  ),
  clockStep: row(
    (stream, { for: most, by }) => ({
      by: Math.sign(stream.between(-1, 1)) * Math.max(seconds(11), duration(stream, by)),
      for: duration(stream, most),
      noticed: stream.below(minutes(1)),
    }),
    { for: hours(6), by: hours(1) },
  ),
  bootIn1970: row((stream, { for: most, down }) => ({
    for: duration(stream, most),
    down: duration(stream, down),
  })),
  partition: row(
    (stream, { for: most }) => ({
      for: duration(stream, most),
      ...(stream.fraction() < 0.5 && { which: stream.fraction() }),
    }),
    { for: hours(6) },
  ),
  messagesLost: row((stream, { for: most }) => ({
    for: duration(stream, most),
    part: stream.fraction(),
  })),
  messagesTwice: row((stream, { for: most }) => ({
    for: duration(stream, most),
    part: stream.fraction(),
  })),
  messagesLate: row(
    (stream, { for: most, by }) => ({ for: duration(stream, most), by: duration(stream, by) }),
    { by: seconds(30) },
  ),
};

/** A part of the seeds has none of a kind. */
const NEVER = 0.5;

/** What a seed lets happen, in the order of time. */
export function drawEvents(scenario: Scenario, seed: number, horizon: number): SimulationEvent[] {
  const events: SimulationEvent[] = [];
  for (const node of scenario.nodes) {
    for (const kind of Object.keys(kinds) as FaultKind[]) {
      const given = scenario.faults[kind];
      if (given === undefined) continue;
      const { usual: others, draw } = kinds[kind];
      const bound = { ...others, ...(typeof given === "number" ? { rate: given } : given) };
      const stream = streamOf(seed, "fault", node, kind);
      if (stream.fraction() < NEVER) continue;
      const once = kind === "clockSkew";
      const instants = once
        ? [scenario.start]
        : instantsOf(stream, bound.rate * stream.fraction(), scenario.start, horizon);
      for (const at of instants)
        events.push({ at, node, kind, ...draw(stream, bound) } as SimulationEvent);
    }
    for (const [name, { rate }] of Object.entries(scenario.operations)) {
      const stream = streamOf(seed, "operation", node, name);
      const drawn = rate * stream.between(0.5, 1);
      for (const at of instantsOf(stream, drawn, scenario.start, horizon))
        events.push({ at, node, kind: "operation", name });
    }
  }
  events.push(...scenario.script(streamOf(seed, "script")));
  const end = after(scenario.start, horizon);
  const over = after(end, scenario.healWithin);
  return events
    .filter(({ kind, at }) => !(at >= (kind === "operation" ? over : end)))
    .map((event) => cutAt(end, event))
    .sort((left, right) => left.at - right.at);
}

/** No fault outlasts the horizon. */
function cutAt(end: Instant, event: SimulationEvent): SimulationEvent {
  const left = end - event.at;
  const isLonger = (duration: number | undefined) => duration !== undefined && duration > left;
  const { for: duration, down } = event as { readonly for?: number; readonly down?: number };
  return {
    ...event,
    ...(isLonger(duration) && { for: left }),
    ...(isLonger(down) && { down: left }),
  };
}

/**
 * Looks at bounds before anything is drawn from them.
 *
 * @throws {TypeError} that says what there is
 */
export function checkBounds(bounds: FaultBounds): void {
  for (const [kind, given] of Object.entries(bounds)) {
    if (!Object.hasOwn(kinds, kind))
      throw new TypeError(`there is no fault ${kind}; there is ${Object.keys(kinds).join(", ")}`);
    const bound: unknown = typeof given === "number" ? { rate: given } : given;
    const parts = Object.entries({ rate: undefined, ...(bound as object) });
    for (const [name, value] of parts) {
      if (name !== "rate" && !Object.hasOwn(usual, name))
        throw new TypeError(
          `the fault ${kind} has no ${name}; it has rate, ${Object.keys(usual).join(", ")}`,
        );
      const isFit = typeof value === "number" && Number.isFinite(value) && value >= 0;
      if (!isFit || (name !== "rate" && value === 0))
        throw new TypeError(
          `${name} of the fault ${kind} is ${JSON.stringify(value)}; it has to be a number ` +
            (name === "rate" ? "from 0 on: so often a day at most" : "of milliseconds above 0"),
        );
    }
  }
}

/**
 * Looks at an event before it is let happen.
 *
 * @throws {TypeError} that says what there is
 */
export function checkEvent(scenario: Scenario, event: SimulationEvent): void {
  const named = `the event ${JSON.stringify(event)}`;
  if (!Number.isFinite(event.at)) throw new TypeError(`${named} happens at no instant`);
  if (!scenario.nodes.includes(event.node))
    throw new TypeError(`${named} is of no node; there is ${scenario.nodes.join(", ")}`);
  if (event.kind === "operation") {
    if (!Object.hasOwn(scenario.operations, event.name))
      throw new TypeError(
        `${named} is no operation; there is ${Object.keys(scenario.operations).join(", ")}`,
      );
    return;
  }
  if (!Object.hasOwn(kinds, event.kind))
    throw new TypeError(`${named} is no fault; there is ${Object.keys(kinds).join(", ")}`);
  const sample = kinds[event.kind].draw(streamOf("sample"), { ...usual, rate: 1 });
  for (const [name, value] of Object.entries(sample)) {
    if (name === "which") continue;
    const given = (event as unknown as Readonly<Record<string, unknown>>)[name];
    if (typeof given !== typeof value || Number.isNaN(given))
      throw new TypeError(`${named} needs ${name}, a ${typeof value}`);
  }
}

/** Independent of each other, about so many a day. */
function instantsOf(stream: Stream, rate: number, start: Instant, horizon: number): Instant[] {
  const expected = (rate * horizon) / days(1);
  const count = Math.floor(expected) + (stream.fraction() < expected % 1 ? 1 : 0);
  return Array.from({ length: count }, () => after(start, 1 + stream.below(horizon - 1)));
}
