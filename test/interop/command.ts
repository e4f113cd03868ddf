import { execFile } from "node:child_process";
import { dirname, join } from "node:path";

/** The root of the checkout. */
export const root = dirname(dirname(import.meta.dirname));

/** The command line of the checkout. */
export const launcher = join(root, "bin", "trustplane");

const TIMEOUT_MS = 120_000;

/** How a command is run: from where, and until when. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly signal: AbortSignal;
}

/** A command that could not be started, ended with another status than 0, or took too long. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Runs a command to its end and returns its standard output. */
export async function command(
  file: string,
  args: readonly string[],
  { cwd = root, signal }: CommandOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, signal, env: environment(), timeout: TIMEOUT_MS };
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new CommandError(`${describe(file, args)}: ${reason(error)}\n${stderr.trim()}`));
    });
  });
}

/** Runs a verb of trustplane to its end and returns its standard output. */
export async function trustplane(
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  return command(launcher, args, options);
}

/** This process's environment, without what would lead trustplane to somebody's own talosconfig. */
export function environment(): NodeJS.ProcessEnv {
  const { TALOSCONFIG: _, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1" };
}

function describe(file: string, args: readonly string[]): string {
  return [file === launcher ? "trustplane" : file, ...args].join(" ");
}

function reason(error: Error & { code?: unknown; killed?: boolean; signal?: unknown }): string {
  if (error.killed) return `no end after ${String(TIMEOUT_MS / 1000)} s`;
  if (typeof error.code === "number") return `exit status ${String(error.code)}`;
  return error.message;
}
