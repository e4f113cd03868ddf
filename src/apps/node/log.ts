/**
 * The node's log: one line for a person on a terminal, JSON for everything else; both to stderr. What
 * apid's clients read of it are lines for persons.
 */
import { pino } from "pino";
import { CodedError, type Logger } from "#runtime";
import type { NodeIo } from "./options.ts";

const LEVELS: Readonly<Record<number, string>> = {
  20: "DEBUG",
  30: "INFO",
  40: "WARN",
  50: "ERROR",
};

const NAMES = Object.values(LEVELS).map((name) => name.toLowerCase());

/** `TRUSTPLANE_LOG_LEVEL` names no level. */
export class LogLevelError extends CodedError {
  readonly code = "ERR_LOG_LEVEL";
  constructor(level: string) {
    super(
      `TRUSTPLANE_LOG_LEVEL is ${JSON.stringify(level)}, and has to be one of ${NAMES.join(", ")}`,
    );
  }
}

type Entry = Record<string, unknown>;

/** One line: level, message, then the fields. */
function readable({ time: _, level, msg, ...fields }: Entry): string {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${LEVELS[Number(level)] ?? ""} ${String(msg)}${rest.join("")}`;
}

/**
 * Makes the node's logger; `TRUSTPLANE_LOG_LEVEL` sets the level, default `info`.
 *
 * @param record keeps a line, without its newline, of the component that it is of; also lines of the
 *   level `info` that are not asked for on stderr
 * @throws {LogLevelError}
 */
export function nodeLogger(
  { stderr, stderrIsTerminal }: NodeIo,
  level = "info",
  record?: (component: unknown, line: string) => void,
): Logger {
  if (!NAMES.includes(level)) throw new LogLevelError(level);
  const shown = levelOf(level);
  const stream = {
    write: (line: string) => {
      const entry = JSON.parse(line) as Entry;
      const time = String(entry.time);
      const { component, ...others } = entry;
      record?.(component, `${time} ${readable(others)}`);
      if (Number(entry.level) < shown) return;
      stderr(stderrIsTerminal ? `${time.slice(11, 19)} ${readable(entry)}\n` : line);
    },
  };
  const lowest = record && shown > levelOf("info") ? "info" : level;
  return pino({ level: lowest, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

const levelOf = (name: string): number =>
  Number(Object.entries(LEVELS).find(([, word]) => word.toLowerCase() === name)?.[0]);
