/**
 * What happened in a simulation, as lines of JSON, and the hash over them: two runs with the same hash
 * decided, wrote and signed the same things in the same order.
 */
import { createHash, type Hash } from "node:crypto";
import type { Instant } from "../instant.ts";

/** One line; `what` says which kind of line it is. */
export interface TraceLine {
  readonly what: string;
  /** True time in milliseconds since 1970. */
  readonly at?: Instant;
  readonly node?: string;
  readonly [field: string]: unknown;
}

/** Takes lines as they come, without their ends. */
export type TraceSink = (line: string) => void;

/** Writes a trace. */
export class Trace {
  readonly #hash: Hash = createHash("sha256");
  readonly #sink: TraceSink | undefined;
  #lines = 0;
  #problem: { readonly error: unknown } | undefined;

  constructor(sink?: TraceSink) {
    this.#sink = sink;
  }

  /** Whether anybody reads the lines. */
  get isRead(): boolean {
    return this.#sink !== undefined;
  }

  /** How many lines are in the hash. */
  get lines(): number {
    return this.#lines;
  }

  /** A line that is part of what has to be the same. */
  add(line: TraceLine): void {
    const text = textOf(line);
    this.#lines++;
    this.#hash.update(text).update("\n");
    this.#tell(text);
  }

  /** A line for readers only. */
  remark(line: TraceLine): void {
    this.#tell(textOf(line));
  }

  /** Throws what the sink threw first: that is not the business of the code that is simulated. */
  throwIfBroken(): void {
    if (this.#problem !== undefined) throw this.#problem.error;
  }

  /** The hash so far, 64 hexadecimal digits. */
  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  #tell(text: string): void {
    if (this.#problem !== undefined) return;
    try {
      this.#sink?.(text);
    } catch (error) {
      this.#problem = { error };
    }
  }
}

/** As JSON, also where a log has what JSON has not. */
function textOf(line: TraceLine): string {
  try {
    return JSON.stringify(line);
  } catch {
    return textOfOdd(line);
  }
}

function textOfOdd(line: TraceLine): string {
  try {
    return JSON.stringify(line, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
  } catch {
    const { what, at, node, level, text } = line;
    return JSON.stringify({ what, at, node, level, text, fields: { left: "out: it is no JSON" } });
  }
}
