/** The node's log: one line for a person on a terminal, JSON for everything else; both to stderr. */
import { pino } from "pino";
import type { Logger } from "#runtime";
import type { NodeIo } from "./options.ts";

const LEVELS: Readonly<Record<number, string>> = {
  20: "DEBUG",
  30: "INFO",
  40: "WARN",
  50: "ERROR",
};

/** One line: time, level, message, then the fields. */
function readable(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const clock = String(time).slice(11, 19);
  return `${clock} ${LEVELS[Number(level)] ?? ""} ${String(msg)}${rest.join("")}\n`;
}

/** Makes the node's logger; `TRUSTPLANE_LOG_LEVEL` sets the level, default `info`. */
export function nodeLogger({ stderr, stderrIsTerminal }: NodeIo, level = "info"): Logger {
  const stream = {
    write: (line: string) => {
      stderr(stderrIsTerminal ? readable(line) : line);
    },
  };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}
