/** `MachineService/Read` and `List`, on a tree that the node makes up (talosctl-wire.md §2.8, §3.4). */
import { compareUtf8 } from "#runtime";
import { InvalidRequestError, type Sink } from "#runtime/rpc";
import { posix } from "node:path";
import {
  ListRequest_Type as Type,
  type FileInfo,
  type ListRequest,
  type MachineServiceServer,
} from "../../rpc/gen/machine/machine.ts";
import type { Body, Router } from "../router.ts";
import { sendBytes } from "./data.ts";
import { lookUp, type Directory, type Entry } from "./file-tree.ts";

export const filesMethods = (
  router: Router,
  root: Directory,
): Pick<MachineServiceServer, "list" | "read"> => ({
  read: router.stream(async ({ path }: { readonly path: string }, sink) => {
    const found = await lookUp(root, path);
    if (found.kind === "directory")
      throw new InvalidRequestError(`${JSON.stringify(path)} is a directory`);
    await sendBytes(await found.read(), sink);
  }),
  list: router.stream(async (request: ListRequest, sink: Sink<Body<FileInfo>>) => {
    const { recurse, recursionDepth, types } = request;
    const path = posix.normalize(request.root || "/");
    const wanted = new Set(types);
    const depth = recurse ? recursionDepth || Infinity : 1;
    for await (const [relative, entry] of walk(await lookUp(root, path), depth)) {
      sink.signal.throwIfAborted();
      const name = posix.join(path, relative);
      if (wanted.size === 0 || wanted.has(typesOf[entry.kind]))
        await sink.send({ ...(await infoOf(entry)), name, relativeName: relative });
    }
  }),
});

const typesOf: Readonly<Record<Entry["kind"], Type>> = {
  file: Type.REGULAR,
  directory: Type.DIRECTORY,
  symlink: Type.SYMLINK,
};

/** Bits of Go's FileMode beside the permissions. */
const goBits: Readonly<Record<Entry["kind"], number>> = {
  file: 0,
  directory: 2 ** 31,
  symlink: 2 ** 27,
};

/** The entry itself as `.`, then what is below it, each directory before its contents, by name. */
async function* walk(
  entry: Entry,
  depth: number,
  at = "",
): AsyncGenerator<readonly [relative: string, entry: Entry]> {
  yield [at || ".", entry];
  if (entry.kind !== "directory" || depth <= 0) return;
  const entries = [...(await entry.entries())].sort(([a], [b]) => compareUtf8(a, b));
  for (const [name, child] of entries) yield* walk(child, depth - 1, posix.join(at, name));
}

/** An entry that cannot be looked at is named with the reason, and stops no other. */
async function infoOf(entry: Entry): Promise<Omit<Body<FileInfo>, "name" | "relativeName">> {
  const isDir = entry.kind === "directory";
  const link = entry.kind === "symlink" ? entry.target : "";
  const bits = goBits[entry.kind];
  try {
    const { size, mode, modified, uid, gid } = await entry.stat();
    const seconds = BigInt(Math.trunc(modified / 1000));
    const shared = { isDir, link, error: "", xattrs: [], uid, gid };
    return { ...shared, size: BigInt(size), mode: bits + mode, modified: seconds };
  } catch (error) {
    const reason = reasonOf(error);
    const nothing = { size: 0n, modified: 0n, uid: 0, gid: 0, xattrs: [] };
    return { ...nothing, isDir, link, mode: bits, error: reason };
  }
}

/** What is behind a tree is a machine, whose own paths are nobody's business. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && "code" in error && error.code === "ENOENT"
    ? "no such file or directory"
    : "it cannot be looked at";
