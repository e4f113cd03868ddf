/**
 * What a verb may touch of the process that it runs in. Tests hand in their own; this is the only
 * file of the command line that knows `process`.
 */
import { homedir } from "node:os";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { Clock, Random } from "#runtime";
import { reasonOf } from "./errno.ts";
import { FAILURE, INTERRUPTED, OK } from "./status.ts";

/** Where text goes. */
export interface Sink {
  write(text: string | Uint8Array): unknown;
  /** Whether a person is likely to be watching. */
  readonly isTTY?: boolean;
  /** How wide the terminal is. */
  readonly columns?: number;
}

/** What a process begins with. */
export interface Shell {
  /** All of the standard input. */
  readonly stdin: () => Promise<string>;
  /** One line of it, for an answer at a terminal. */
  readonly line: () => Promise<string>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
  readonly home: string;
  /**
   * Aborts on the first SIGINT, SIGTERM or SIGHUP, and when the standard output takes nothing any longer.
   * Only those who wait ask for it: until then a signal ends the process at once, as usual.
   */
  readonly interruption: () => AbortSignal;
  /** Opens a file in the editor of the user, and waits until that has ended; rejects when it failed. */
  readonly edit: (path: string) => Promise<void>;
}

/** The world of one run of a verb. */
export interface Io extends Shell {
  readonly clock: Clock;
  readonly random: Random;
}

/** npm passes on a Ctrl-C that the program has had from the terminal: not a second one by a person. */
const ECHO_SECONDS = 0.5;

/**
 * Joins the program to its process. A reader that went away ends it quietly, with status 0; any
 * other failure of the standard output is told, and ends it with status 1.
 */
export function processShell(process: NodeJS.Process): Shell {
  const abort = new AbortController();
  let waiting = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && process.exitCode !== FAILURE) {
      process.exitCode = FAILURE;
      process.stderr.write(`error: cannot write to the standard output: ${described(error)}\n`);
    }
    if (!waiting) process.exit(process.exitCode ?? OK);
    abort.abort();
  });
  process.stderr.on("error", () => undefined); // there is nobody left to tell
  let interruptedAt = 0;
  const stop = () => {
    const now = process.uptime();
    if (!abort.signal.aborted) interruptedAt = now;
    else if (now - interruptedAt > ECHO_SECONDS) process.exit(INTERRUPTED);
    abort.abort();
  };
  return {
    stdin: () => text(process.stdin),
    line: async () => {
      const lines = createInterface({ input: process.stdin });
      for await (const line of lines) return line;
      return "";
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    edit: async (path) => (await import("./editor.ts")).openEditor(process.env, path),
    interruption() {
      if (!waiting) for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
      waiting = true;
      return abort.signal;
    },
  };
}

const described = (error: NodeJS.ErrnoException): string =>
  reasonOf(error) + (error.code === undefined ? "" : ` (${error.code})`);

/** Completes a shell by the clock and the random source of this machine, loaded only now. */
export async function systemIo(shell: Shell): Promise<Io> {
  const { systemClock, systemRandom } = await import("#runtime");
  return { ...shell, clock: systemClock, random: systemRandom };
}
