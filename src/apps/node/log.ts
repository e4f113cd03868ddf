/** The node's log: one line for a person on a terminal, JSON for everything else; both to stderr. */
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

/** One line: time, level, message, then the fields. */
function readable(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const clock = String(time).slice(11, 19);
  return `${clock} ${LEVELS[Number(level)] ?? ""} ${String(msg)}${rest.join("")}\n`;
}

/**
 * Makes the node's logger; `TRUSTPLANE_LOG_LEVEL` sets the level, default `info`.
 *
 * @throws {LogLevelError}
 */
export function nodeLogger({ stderr, stderrIsTerminal }: NodeIo, level = "info"): Logger {
  if (!NAMES.includes(level)) throw new LogLevelError(level);
  const stream = {
    write: (line: string) => {
      stderr(stderrIsTerminal ? readable(line) : line);
    },
  };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}
