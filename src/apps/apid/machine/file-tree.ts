/** A tree of files that clients may look at; where it comes from is the node's. */
import type { Instant } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import { posix } from "node:path";
import { NoSuchFileError } from "../errors.ts";

/** What is said of a file without opening it; `mode` has permission bits only. */
export interface Stat {
  readonly size: number;
  readonly mode: number;
  readonly modified: Instant;
  readonly uid: number;
  readonly gid: number;
}

/** A regular file. */
export interface File {
  readonly kind: "file";
  /** @throws when it is gone, or its disk fails */
  stat(): Promise<Stat>;
  /** @throws {SecretFileError} when it holds a secret */
  read(): Promise<Uint8Array>;
}

/** A directory, looked into when it is asked. */
export interface Directory {
  readonly kind: "directory";
  stat(): Promise<Stat>;
  entries(): Promise<ReadonlyMap<string, Entry>>;
}

/** A symbolic link; `target` is a path from the root of the tree. */
export interface Symlink {
  readonly kind: "symlink";
  readonly target: string;
  stat(): Promise<Stat>;
}

/** What a name in a directory stands for. */
export type Entry = File | Directory | Symlink;

/** Links that lead to links lead nowhere after so many. */
const LINKS_MAX = 8;

/**
 * Finds what a path leads to, through links. `..` ends at the root, so that no
 * path leads out.
 *
 * @throws {InvalidRequestError} for a relative path
 * @throws {NoSuchFileError}
 */
export async function lookUp(
  root: Directory,
  path: string,
  links = LINKS_MAX,
): Promise<File | Directory> {
  if (!path.startsWith("/"))
    throw new InvalidRequestError(`the path ${JSON.stringify(path)} does not begin with /`);
  let at: Entry = root;
  const names = posix.normalize(path).split("/").filter(Boolean);
  for (const [index, name] of names.entries()) {
    const found: Entry | undefined =
      at.kind === "directory" ? (await at.entries()).get(name) : undefined;
    if (found === undefined || links === 0) throw new NoSuchFileError(path);
    if (found.kind === "symlink")
      return lookUp(root, posix.join(found.target, ...names.slice(index + 1)), links - 1);
    at = found;
  }
  return at;
}
