/** Failures that only the command line knows, and the one place that turns any failure into text. */
import { CodedError } from "#runtime";
import { reasonOf } from "./errno.ts";
import type { Shell } from "./io.ts";
import { FAILURE, WRONG_USAGE } from "./status.ts";

/** The command line itself is wrong: exit status 2. */
export class UsageError extends CodedError {
  readonly code = "ERR_USAGE";
}

/** Something on the disk, or the standard input, cannot be read or written as asked. */
export class FileAccessError extends CodedError {
  readonly code = "ERR_FILE_ACCESS";
}

/** A file is there already, and nobody said that it may be replaced. */
export class FileExistsError extends CodedError {
  readonly code = "ERR_FILE_EXISTS";
  constructor(path: string) {
    super(`file ${JSON.stringify(path)} already exists, use --force to overwrite`);
  }
}

/** The command line can be understood but not followed: a name or a value in it leads nowhere. */
export class ArgumentError extends CodedError {
  readonly code = "ERR_ARGUMENT";
  readonly hint: string | undefined;
  constructor(message: string, options?: ErrorOptions & { readonly hint?: string }) {
    super(message, options);
    this.hint = options?.hint;
  }
}

/**
 * Runs what judges an argument; what that refuses is wrong usage, in the same words.
 *
 * @throws {UsageError}
 */
export function wrongUsage<T>(judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const hint = "hint" in error && typeof error.hint === "string" ? `; ${error.hint}` : "";
    throw new UsageError(error.message + hint, { cause: error });
  }
}

/** Puts the path and the cause of a failed system call into words. */
export function fileAccess(doing: string, path: string, cause: unknown): FileAccessError {
  return new FileAccessError(`cannot ${doing} ${JSON.stringify(path)}: ${reasonOf(cause)}`, {
    cause,
  });
}

/**
 * Prints a failure on stderr: the message of a coded one, with its hint where it has one; of any
 * other a short line, and the stack only with TRUSTPLANE_DEBUG=1.
 *
 * @param node where it happened, when there are several
 * @returns the exit status
 */
export function report(
  error: unknown,
  { stderr, env }: Pick<Shell, "stderr" | "env">,
  node?: string,
): number {
  const place = node === undefined ? "" : `${node}: `;
  if (env.TRUSTPLANE_DEBUG === "1" && error instanceof Error)
    stderr.write(`${error.stack ?? error.message}\n`);
  if (error instanceof CodedError) {
    stderr.write(`error: ${place}${error.message}\n`);
    if ("hint" in error && typeof error.hint === "string") stderr.write(`hint: ${error.hint}\n`);
    return error instanceof UsageError ? WRONG_USAGE : FAILURE;
  }
  const message = error instanceof Error ? error.message : String(error);
  stderr.write(`error: ${place}${message} (ERR_INTERNAL; TRUSTPLANE_DEBUG=1 shows where)\n`);
  return FAILURE;
}
