/** A trace as a timeline that people read. */
import { days } from "../instant.ts";
import { traceHeader, TraceUnreadableError } from "./replay.ts";
import type { TraceLine } from "./trace.ts";

type Line = TraceLine & Readonly<Record<string, unknown>>;

/** What a line of each sort says; the rest is told as it is. */
const sentences: Readonly<Record<string, (line: Line) => string>> = {
  scenario: ({ name, seed, horizon }) =>
    `${text(name)}, seed ${text(seed)}, ${round(Number(horizon) / days(1))} days`,
  start: ({ boot }) => `starts (process ${Number(boot) + 1})`,
  end: ({ down }) => `is down for ${span(Number(down))}`,
  "cannot start": ({ code }) => `cannot start: ${text(code)}`,
  refused: ({ code }) => `the operator is refused: ${text(code)}`,
  run: ({ unit, of }) => `runs ${text(unit)}${Number(of) > 1 ? `, one of ${text(of)} ready` : ""}`,
  write: ({ versions, removes = [] }) =>
    [
      ...told("commits", versions as readonly string[]),
      ...told("removes", removes as readonly string[]),
    ].join(", "),
  note: ({ name, value }) => `${text(name)} ${text(value)}`,
  log: ({ level, text: said, fields }) =>
    `${text(level)}: ${text(said)}${rest({ ...(fields as object | undefined) })}`,
  message: ({ kind, id, to, copies }) =>
    `${text(kind)} ${text(id)} to ${text(to)}${copies === 0 ? " is lost" : copies === 2 ? " goes twice" : ""}`,
  event: ({ kind, place, ...fields }) => `** ${text(kind)} [${text(place)}]${rest(fields)}`,
  heal: () => "** all faults end",
  over: ({ property, problems }) =>
    property === undefined
      ? "** the end"
      : `** BROKEN: ${text(property)}${((problems ?? []) as string[]).map((one) => `\n     ${one}`).join("")}`,
};

/**
 * Turns a trace into text, line by line.
 *
 * @param lines JSON, as a simulation writes them
 * @throws {TraceUnreadableError} when they are of something else, or from a line on that is damaged; what
 *   comes before it has been told by then
 */
export function* explain(lines: Iterable<string>): Generator<string> {
  let [number, start] = [0, undefined as number | undefined];
  for (const json of lines) {
    number++;
    if (json === "") continue;
    if (start === undefined) traceHeader(json);
    const line = lineOf(json, number);
    const moment = line.at ?? start ?? 0;
    const when = line.at === undefined ? " ".repeat(24) : new Date(moment).toISOString();
    yield `${when} ${(line.node ?? "").padEnd(6)} ${sentenceOf(line, json, number)}`;
    start ??= moment;
  }
}

const damaged = (number: number, cause?: unknown) =>
  new TraceUnreadableError(`line ${number} of the trace is damaged`, { cause });

function lineOf(json: string, number: number): Line {
  const { what, at, node, ...others } = parsed(json, number);
  const isTimed = at === undefined || !Number.isNaN(new Date(at as number).getTime());
  const isNamed = node === undefined || typeof node === "string";
  if (typeof what !== "string" || !isTimed || !isNamed) throw damaged(number);
  return {
    what,
    ...others,
    ...(at !== undefined && { at }),
    ...(node !== undefined && { node }),
  } as Line;
}

function parsed(json: string, number: number): Record<string, unknown> {
  try {
    return { ...(JSON.parse(json) as object) };
  } catch (cause) {
    throw damaged(number, cause);
  }
}

/** A line that lacks what it tells of is damaged, too. */
function sentenceOf(line: Line, json: string, number: number): string {
  try {
    return sentences[line.what]?.(line) ?? json;
  } catch (cause) {
    throw damaged(number, cause);
  }
}

const told = (verb: string, all: readonly string[]): readonly string[] =>
  all.length === 0 ? [] : [`${verb} ${all.join(", ")}`];

const text = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

const rest = (fields: Readonly<Record<string, unknown>>): string =>
  Object.entries(fields)
    .filter(([name]) => !toldAlready.has(name))
    .map(([name, value]) => ` ${name}=${durations.has(name) ? span(Number(value)) : text(value)}`)
    .join("");

/** At the start of each line. */
const toldAlready = new Set(["what", "at", "node"]);
const durations = new Set(["for", "down", "by", "noticed"]);
const round = (value: number) => Math.round(value * 100) / 100;
const units = [
  ["d", days(1)],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** A duration in the largest unit that it fills. */
export function span(duration: number): string {
  const [name, size] = units.find(([, each]) => Math.abs(duration) >= each) ?? ["ms", 1];
  return `${round(duration / size)} ${name}`;
}
