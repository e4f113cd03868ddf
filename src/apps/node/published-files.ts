/**
 * Publishes sets of files the way the kubelet does: a set is a directory of its own, `..data` is a
 * symlink to the one in force, and each visible name is a symlink through `..data`. Renaming that one
 * symlink swaps all files at once, so a reader never sees half a change. In each set stands whose it is.
 */
import { createHash } from "node:crypto";
import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
} from "node:fs/promises";
import { join } from "node:path";
import type { PublishFiles } from "#controllers";
import { type Clock, CodedError, type Logger, type Random, rfc3339 } from "#runtime";

/** A file, or a set, stands where one of ours should, and we did not write it. */
export class ForeignFileError extends CodedError {
  readonly code = "ERR_FILE_FOREIGN";
  constructor(paths: readonly string[]) {
    super(
      `${paths.join(", ")}: not written by this node, left as it is; move it away, or start once with --adopt`,
    );
  }
}

/** The file system refuses what was to be published. */
export class FileWriteError extends CodedError {
  readonly code = "ERR_FILE_WRITE";
}

const CURRENT = "..data";
/** Holds the id of the node that wrote the set; no visible name leads to it. */
const OWNER = "..owner";
const SET = /^\.\.\d{4}_/;
/** What holds a private key is for its owner alone. */
const modeOf = (name: string): number => (/\.(key|conf)$/.test(name) ? 0o600 : 0o644);

type Files = Readonly<Record<string, string>>;

/**
 * Makes a publisher below `root`; with `adopt` it takes over files that it did not write.
 *
 * @throws {ForeignFileError} when a name is taken by a file of somebody else; nothing was changed
 * @throws {FileWriteError} when the file system refuses; it may have room or permission later
 */
export function filePublisher(options: {
  readonly root: string;
  /** The id of this node. */
  readonly owner: string;
  readonly adopt: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}): PublishFiles {
  const { owner } = options;
  const publish: PublishFiles = async (directory, files) => {
    const path = join(options.root, directory);
    const version = digest(files);
    const isOurs = await holdsSetOf(path, owner);
    if (Object.keys(files).length === 0 && isOurs !== true) return { path, version };
    await mkdir(path, { recursive: true, mode: 0o700 });
    const foreign = await foreignIn(path, files, isOurs);
    if (foreign.length > 0 && !options.adopt) throw new ForeignFileError(foreign);
    await refuseDirectories(foreign, path);
    if (foreign.length > 0) options.log.warn({ foreign }, "files of others are taken over");
    const takenOver = isOurs === false ? await linkTarget(join(path, CURRENT)) : undefined;
    await dropOldSets(path, owner); // a full disk may need the room
    if (!(await holds(path, owner, files))) {
      const stamp = rfc3339(options.clock.now()).replace(/[-T:]/g, "_").slice(0, 19);
      const suffix = Buffer.from(options.random.bytes(5)).toString("hex");
      const set = `..${stamp}.${suffix}`;
      await writeSet(join(path, set), owner, files);
      await replaceSymlink(path, CURRENT, set);
    }
    await linkNames(path, files);
    await dropOldSets(path, owner);
    // Its keys were taken over with its names, and nothing else leads to them.
    if (takenOver && SET.test(takenOver)) await rm(join(path, takenOver), { recursive: true });
    return { path, version };
  };
  return (directory, files) =>
    publish(directory, files).catch((cause: unknown) => {
      if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
      throw new FileWriteError(
        `cannot publish ${join(options.root, directory)}: ${cause.message}`,
        {
          cause,
        },
      );
    });
}

/** Tells whether the set in force is this node's; undefined where there is none. */
async function holdsSetOf(path: string, owner: string): Promise<boolean | undefined> {
  const current = join(path, CURRENT);
  const target = await linkTarget(current);
  if (target === undefined) return undefined;
  if (SET.test(target) && !(await exists(join(path, target)))) return undefined; // leads nowhere
  return (await readOwner(current)) === owner;
}

/**
 * Takes away what a node has published in a directory, and the directory when it is empty then; what
 * others put there stays. Names go first, whose it is goes last: what a crash leaves is known as ours.
 */
export async function withdrawFiles(path: string, owner: string): Promise<void> {
  if (!(await exists(path))) return;
  if ((await holdsSetOf(path, owner)) === true) {
    await linkNames(path, {});
    await rm(join(path, CURRENT));
    await flush(path);
  }
  await dropOldSets(path, owner);
  await rmdir(path).catch(() => undefined);
}

/** The id of the node that wrote the set in force below one of these directories. */
export async function publisherOf(directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const owner = await readOwner(join(directory, CURRENT));
    if (owner) return owner;
  }
  return undefined;
}

const readOwner = (set: string): Promise<string | undefined> =>
  readFile(join(set, OWNER), "utf8").catch(() => undefined);

function digest(files: Files): string {
  const hash = createHash("sha256");
  for (const [name, contents] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0${String(contents.length)}\0${contents}`);
  }
  return hash.digest("hex");
}

/** What stands where a file of ours belongs: a whole set, or names. */
async function foreignIn(path: string, files: Files, isOurs?: boolean): Promise<string[]> {
  if (isOurs === false) return [path];
  const foreign: string[] = [];
  for (const name of Object.keys(files)) {
    const target = await linkTarget(join(path, name));
    if (target !== undefined && target !== join(CURRENT, name)) foreign.push(join(path, name));
  }
  return foreign;
}

/** Files are taken over by renaming over them; what a directory holds is not thrown away. */
async function refuseDirectories(foreign: readonly string[], root: string): Promise<void> {
  for (const path of foreign)
    if (path !== root && (await lstat(path)).isDirectory())
      throw new FileWriteError(`${path} is a directory, where a file is to stand: move it away`);
}

/** Tells whether the set in force is exactly these files of this node. */
async function holds(path: string, owner: string, files: Files): Promise<boolean> {
  const current = join(path, CURRENT);
  if ((await readOwner(current)) !== owner) return false;
  const names = Object.keys(files);
  if ((await readdir(current)).length !== names.length + 1) return false;
  if (!(await isPrivate(join(path, (await linkTarget(current)) ?? ""), 0o700))) return false;
  const same = await Promise.all(
    names.map(async (name) => {
      const file = join(current, name);
      const contents = await readFile(file, "utf8").catch(() => undefined);
      return contents === files[name] && (await isPrivate(file, modeOf(name)));
    }),
  );
  return same.every(Boolean);
}

/** Tells whether it is a file or directory of this user, of exactly this mode, and no symlink. */
async function isPrivate(path: string, mode: number): Promise<boolean> {
  const found = await lstat(path);
  const isOwn = process.getuid === undefined || found.uid === process.getuid();
  return isOwn && !found.isSymbolicLink() && (found.mode & 0o777) === mode;
}

/** Writes a whole set or none; whose it is comes first, so that what a crash leaves is known as ours. */
async function writeSet(set: string, owner: string, files: Files): Promise<void> {
  await mkdir(set, { mode: 0o700 });
  try {
    for (const [name, contents] of Object.entries({ [OWNER]: owner, ...files }))
      await writeFlushed(join(set, name), contents, modeOf(name));
    await flush(set);
  } catch (error) {
    await dropSet(set);
    throw error;
  }
}

/** Whose it is goes last, so that what a crash leaves is known as ours. */
async function dropSet(set: string): Promise<void> {
  for (const name of await readdir(set)) if (name !== OWNER) await rm(join(set, name));
  await rm(join(set, OWNER), { force: true });
  await rmdir(set);
}

async function writeFlushed(path: string, contents: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.chmod(mode); // whatever the umask says
    await file.writeFile(contents);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function linkNames(path: string, files: Files): Promise<void> {
  let changed = false;
  for (const name of Object.keys(files)) {
    if ((await linkTarget(join(path, name))) === join(CURRENT, name)) continue;
    await replaceSymlink(path, name, join(CURRENT, name));
    changed = true;
  }
  for (const name of await readdir(path)) {
    const stale = !(name in files) && (await linkTarget(join(path, name))) === join(CURRENT, name);
    if (stale) await rm(join(path, name));
    changed ||= stale;
  }
  if (changed) await flush(path);
}

/** Our sets that a crash left behind, and the one that was just replaced. */
async function dropOldSets(path: string, owner: string): Promise<void> {
  const current = await linkTarget(join(path, CURRENT));
  for (const name of await readdir(path)) {
    if (!SET.test(name) || name === current) continue;
    if (await isLeftover(join(path, name), owner)) await dropSet(join(path, name));
  }
}

/** A set of ours, or one that we had not even signed when we were killed. */
async function isLeftover(set: string, owner: string): Promise<boolean> {
  const found = await readOwner(set);
  if (found === owner) return true;
  const names = await readdir(set).catch(() => ["not a directory"]);
  return names.every((name) => name === OWNER) && owner.startsWith(found ?? "");
}

async function replaceSymlink(directory: string, name: string, target: string): Promise<void> {
  const temporary = join(directory, `..new_${name.replace(/^\.+/, "")}`);
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, join(directory, name)).catch(async (error: unknown) => {
    await rm(temporary, { force: true });
    throw error;
  });
  await flush(directory);
}

async function flush(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The target of a symlink, the empty string for anything else, undefined where nothing is. */
async function linkTarget(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isSymbolicLink() ? readlink(path) : "";
}

const exists = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined)) !== undefined;
