/** Reads what the user names, and writes what is asked for: whole, private, and never by accident. */
import { link, lstat, mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileAccess, FileExistsError } from "./errors.ts";
import type { Io } from "./io.ts";

/** The file name that stands for a standard stream. */
export const STREAM = "-";

/** A file to write; `path` as the user gave it. */
export interface OutputFile {
  readonly path: string;
  readonly content: string;
}

/**
 * Reads a text file; `-` is the standard input.
 *
 * @throws {FileAccessError}
 */
export async function readInput(io: Io, path: string): Promise<string> {
  if (path === STREAM) return io.stdin();
  try {
    return await readFile(resolve(io.cwd, path), "utf8");
  } catch (cause) {
    throw fileAccess("read", path, cause);
  }
}

/** Tells whether anything has that name, a dangling symbolic link included. */
export async function exists(io: Io, path: string): Promise<boolean> {
  const found = await lstat(resolve(io.cwd, path)).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileAccess("look at", path, cause);
  });
  return found !== undefined;
}

/**
 * Refuses names that are taken, before the work is done that would fill them.
 *
 * @throws {FileExistsError} unless `force`
 */
export async function refuseExisting(io: Io, paths: readonly string[], force: boolean) {
  if (force) return;
  for (const path of paths)
    if (path !== STREAM && (await exists(io, path))) throw new FileExistsError(path);
}

/**
 * Writes all of the files or none, readable by their owner only, and says `Created …` for each;
 * a file `-` goes to the standard output.
 *
 * @throws {FileExistsError} unless `force`; {@link FileAccessError}: nothing was changed
 */
export async function writeOutputs(io: Io, files: readonly OutputFile[], force: boolean) {
  const named = files.filter(({ path }) => path !== STREAM);
  const paths = named.map(({ path }) => path);
  await refuseExisting(io, paths, force);
  const drafts: { path: string; target: string; draft: string }[] = [];
  try {
    for (const file of named) drafts.push(await writeDraft(io, file));
    await publish(drafts, force);
  } finally {
    for (const { draft } of drafts) await discard(draft);
  }
  for (const { path, content } of files)
    if (path === STREAM) io.stdout.write(content);
    else io.stderr.write(`Created ${path}\n`);
}

/** Replaces a file that the program itself keeps, or makes it; a symbolic link is followed. */
export async function replaceFile(io: Io, { path, content }: OutputFile): Promise<void> {
  const target = await realpath(resolve(io.cwd, path)).catch(() => resolve(io.cwd, path));
  const { draft } = await writeDraft(io, { path: target, content });
  try {
    await rename(draft, target);
  } catch (cause) {
    throw fileAccess("write", path, cause);
  } finally {
    await discard(draft);
  }
}

/** What is thrown is the failure that led here, and not that there is nothing to clear away. */
const discard = (path: string) => rm(path, { force: true }).catch(() => undefined);

async function writeDraft(io: Io, { path, content }: OutputFile) {
  const target = resolve(io.cwd, path);
  const mark = Buffer.from(io.random.bytes(6)).toString("hex");
  const draft = join(dirname(target), `.${basename(target)}.${mark}`);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await using file = await open(draft, "wx", 0o600);
    await file.writeFile(content);
    await file.sync();
  } catch (cause) {
    await discard(draft);
    throw fileAccess("write", path, cause);
  }
  return { path, target, draft };
}

/** A hard link fails where a file has appeared in the meantime; a renaming would replace it. */
async function publish(
  drafts: readonly { path: string; target: string; draft: string }[],
  force: boolean,
) {
  const published: string[] = [];
  for (const { path, target, draft } of drafts)
    try {
      await (force ? rename(draft, target) : link(draft, target));
      published.push(target);
    } catch (cause) {
      if (!force) for (const done of published) await discard(done);
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw new FileExistsError(path);
      throw fileAccess("write", path, cause);
    }
}
