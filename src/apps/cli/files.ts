/** Reads what the user names, and writes what is asked for: whole, private, and never by accident. */
import { link, lstat, mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileAccess, FileAccessError, FileExistsError } from "./errors.ts";
import type { Io } from "./io.ts";

/** The file name that stands for a standard stream. */
export const STREAM = "-";

/** A file to write; `path` as the user gave it. */
export interface OutputFile {
  readonly path: string;
  readonly content: string | Uint8Array;
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
 * Refuses names that are taken, before the work is done that would fill them; with `force` only
 * those that are no files: nothing takes the place of a device or of a directory.
 *
 * @throws {FileExistsError} {@link FileAccessError}
 */
export async function refuseExisting(io: Io, paths: readonly string[], force: boolean) {
  for (const path of paths)
    if (path === STREAM) continue;
    else if (force) await targetOf(io, path);
    else if (await exists(io, path)) throw new FileExistsError(path);
}

/** The file that is to be replaced, or made: where a symbolic link leads. */
async function targetOf(io: Io, path: string): Promise<string> {
  const named = resolve(io.cwd, path);
  const found = await stat(named).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileAccess("write", path, cause);
  });
  if (found === undefined) return named;
  if (found.isFile()) return realpath(named);
  const what = found.isDirectory() ? "a directory" : "a device, a pipe or a socket, and no file";
  throw new FileAccessError(`cannot write ${JSON.stringify(path)}: it is ${what}`);
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
  const drafts: Draft[] = [];
  try {
    for (const file of named) drafts.push(await writeDraft(io, file, force));
    await publish(drafts, force);
  } finally {
    for (const { draft } of drafts) await discard(draft);
  }
  for (const { path, content } of files)
    if (path === STREAM) io.stdout.write(content);
    else io.stderr.write(`Created ${path}\n`);
}

/** Replaces a file that the program itself keeps, or makes it; a symbolic link is followed. */
export async function replaceFile(io: Io, file: OutputFile): Promise<void> {
  const draft = await writeDraft(io, file, true);
  try {
    await publish([draft], true);
  } finally {
    await discard(draft.draft);
  }
}

/** What is thrown is the failure that led here, and not that there is nothing to clear away. */
const discard = (path: string) => rm(path, { force: true }).catch(() => undefined);

/** A file that is complete, beside the one that it is to become. */
interface Draft {
  /** As the user gave it. */
  readonly path: string;
  readonly target: string;
  readonly draft: string;
}

async function writeDraft(io: Io, { path, content }: OutputFile, follow: boolean): Promise<Draft> {
  const target = follow ? await targetOf(io, path) : resolve(io.cwd, path);
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

/** A draft that has taken its place, and what stood there before. */
interface Placed {
  readonly path: string;
  readonly target: string;
  /** Undefined where nothing did. */
  readonly kept: string | undefined;
}

/** Puts the drafts in place, all or none: what was done is taken back when one of them fails. */
async function publish(drafts: readonly Draft[], force: boolean): Promise<void> {
  const placed: Placed[] = [];
  try {
    for (const draft of drafts) placed.push(await (force ? replace(draft) : place(draft)));
  } catch (cause) {
    for (const each of placed.reverse()) await takeBack(each);
    throw cause;
  }
  for (const { kept } of placed) if (kept !== undefined) await discard(kept);
}

/** A hard link fails where a file has appeared in the meantime; a renaming would replace it. */
async function place({ path, target, draft }: Draft): Promise<Placed> {
  try {
    await link(draft, target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw new FileExistsError(path);
    throw fileAccess("write", path, cause);
  }
  return { path, target, kept: undefined };
}

async function replace({ path, target, draft }: Draft): Promise<Placed> {
  const placed = { path, target, kept: await keep(path, target, `${draft}.old`) };
  try {
    await rename(draft, target);
    return placed;
  } catch (cause) {
    await takeBack(placed);
    throw fileAccess("write", path, cause);
  }
}

/** Gives what stands there a second name, which its content can be taken back by. */
async function keep(path: string, target: string, name: string): Promise<string | undefined> {
  try {
    const found = await lstat(target);
    if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" }) as Error;
    await link(target, name).catch(() => rename(target, name)); // not every file system has links
    return name;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileAccess("write", path, cause);
  }
}

async function takeBack({ path, target, kept }: Placed): Promise<void> {
  try {
    await (kept === undefined ? rm(target, { force: true }) : rename(kept, target));
  } catch (cause) {
    throw fileAccess(kept === undefined ? "take back" : `bring back from ${kept}`, path, cause);
  }
}
