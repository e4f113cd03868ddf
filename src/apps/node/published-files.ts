/**
 * Publishes sets of files the way the kubelet does: a set is a directory of its own, `..data` is a
 * symlink to the one in force, and each visible name is a symlink through `..data`. Renaming that one
 * symlink swaps all files at once, so a reader never sees half a change.
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
  symlink,
} from "node:fs/promises";
import { join } from "node:path";
import type { PublishFiles } from "#controllers";
import { type Clock, CodedError, type Random, rfc3339 } from "#runtime";

/** A file stands where one of ours should, and we did not write it. */
export class ForeignFileError extends CodedError {
  readonly code = "ERR_FILE_FOREIGN";
  constructor(paths: readonly string[]) {
    super(
      `${paths.join(", ")}: not written by trustplane, left as it is; move it away, or start once with --adopt`,
    );
  }
}

const CURRENT = "..data";
const SET = /^\.\.\d{4}_/;
/** What holds a private key is for its owner alone. */
const modeOf = (name: string): number => (/\.(key|conf)$/.test(name) ? 0o600 : 0o644);

type Files = Readonly<Record<string, string>>;

/**
 * Makes a publisher below `root`; with `adopt` it takes over files that it did not write.
 *
 * @throws {ForeignFileError} when a name is taken by a file of somebody else; nothing was changed
 */
export function filePublisher(options: {
  readonly root: string;
  readonly adopt: boolean;
  readonly clock: Clock;
  readonly random: Random;
}): PublishFiles {
  return async (directory, files) => {
    const path = join(options.root, directory);
    const version = digest(files);
    if (Object.keys(files).length === 0 && !(await exists(path))) return { path, version };
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (!options.adopt) await refuseForeign(path, files);
    if (!(await holds(path, files))) {
      const stamp = rfc3339(options.clock.now()).replace(/[-T:]/g, "_").slice(0, 19);
      const suffix = Buffer.from(options.random.bytes(5)).toString("hex");
      const set = `..${stamp}.${suffix}`;
      await writeSet(join(path, set), files);
      await replaceSymlink(path, CURRENT, set);
    }
    await linkNames(path, files);
    await dropOldSets(path);
    return { path, version };
  };
}

function digest(files: Files): string {
  const hash = createHash("sha256");
  for (const [name, contents] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0${String(contents.length)}\0${contents}`);
  }
  return hash.digest("hex");
}

async function refuseForeign(path: string, files: Files): Promise<void> {
  const foreign: string[] = [];
  for (const name of Object.keys(files)) {
    const target = await linkTarget(join(path, name));
    if (target !== undefined && target !== join(CURRENT, name)) foreign.push(join(path, name));
  }
  if (foreign.length > 0) throw new ForeignFileError(foreign);
}

/** Tells whether the set in force is exactly these files. */
async function holds(path: string, files: Files): Promise<boolean> {
  const current = join(path, CURRENT);
  if (!(await exists(current))) return false;
  const names = Object.keys(files);
  if ((await readdir(current)).length !== names.length) return false;
  const same = await Promise.all(
    names.map(async (name) => {
      const contents = await readFile(join(current, name), "utf8").catch(() => undefined);
      return contents === files[name];
    }),
  );
  return same.every(Boolean);
}

async function writeSet(set: string, files: Files): Promise<void> {
  await mkdir(set, { mode: 0o700 });
  for (const [name, contents] of Object.entries(files)) {
    const file = await open(join(set, name), "wx", modeOf(name));
    try {
      await file.chmod(modeOf(name)); // whatever the umask says
      await file.writeFile(contents);
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await flush(set);
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

/** Sets that a crash left behind, and the one that was just replaced. */
async function dropOldSets(path: string): Promise<void> {
  const current = await linkTarget(join(path, CURRENT));
  for (const name of await readdir(path)) {
    if (SET.test(name) && name !== current) await rm(join(path, name), { recursive: true });
  }
}

async function replaceSymlink(directory: string, name: string, target: string): Promise<void> {
  const temporary = join(directory, `..new_${name.replace(/^\.+/, "")}`);
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, join(directory, name));
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
