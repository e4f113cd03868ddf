/** Files of a node: its virtual tree, and the kubeconfig that it hands out as an archive. */
import { gunzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { instantOf, type Instant } from "#runtime";
import {
  ListRequest_Type as Type,
  type ContainersResponse,
  type FileInfo,
} from "../rpc/gen/machine/machine.ts";
import type { Client } from "./client.ts";
import { callMetadata, messages, reply } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { only } from "./machine-calls.ts";
import { ReplyError } from "./resource.ts";

/** What a file is. */
export type FileType = "file" | "directory" | "symlink";

/** What a node says of a file; `error` is empty unless it could not be looked at. */
export interface FileEntry {
  /** The full path. */
  readonly name: string;
  /** From the root of the list, which is `.` itself. */
  readonly relativeName: string;
  readonly type: FileType;
  /** Permission bits. */
  readonly mode: number;
  readonly size: bigint;
  readonly modified: Instant;
  readonly uid: number;
  readonly gid: number;
  /** Where a symbolic link leads; else empty. */
  readonly link: string;
  readonly error: string;
}

/** Which files to list; `depth` 1 is the directory's own entries, and 0 everything below it. */
export interface FileQuery {
  readonly root: string;
  readonly depth: number;
  /** All where empty. */
  readonly types: readonly FileType[];
}

type FileCalls = Pick<Client, "read" | "files" | "kubeconfig" | "containers">;

/** Makes the calls. */
export function fileCalls(endpoints: Endpoints): FileCalls {
  return {
    async *read(path, { node, signal } = {}) {
      const pieces = endpoints.stream(node, ({ machine }) =>
        messages(machine.read({ path }, callMetadata(node)), signal),
      );
      for await (const { bytes } of pieces) yield bytes;
    },
    async *files({ root, depth, types }, { node, signal } = {}) {
      const request = {
        root,
        recurse: depth !== 1,
        recursionDepth: depth,
        types: types.map((type) => wireTypes[type]),
        reportXattrs: false,
      };
      const found = endpoints.stream(node, ({ machine }) =>
        messages(machine.list(request, callMetadata(node)), signal),
      );
      for await (const info of found) yield fileEntry(info);
    },
    kubeconfig: ({ node, signal } = {}) =>
      endpoints.ask(node, async ({ machine }) => {
        const pieces: Buffer[] = [];
        for await (const { bytes } of messages(machine.kubeconfig({}, callMetadata(node)), signal))
          pieces.push(bytes);
        return kubeconfigIn(Buffer.concat(pieces));
      }),
    containers: ({ node } = {}) =>
      endpoints.ask(node, async ({ machine }) => {
        const request = { namespace: "system", driver: 0 } as const;
        return only(
          await reply<ContainersResponse>((done) =>
            machine.containers(request, callMetadata(node), done),
          ),
        ).containers;
      }),
  };
}

const wireTypes: Readonly<Record<FileType, Type>> = {
  file: Type.REGULAR,
  directory: Type.DIRECTORY,
  symlink: Type.SYMLINK,
};

/** Bit 27 of Go's FileMode. */
const isSymlink = (mode: number): boolean => (mode & (1 << 27)) !== 0;

function fileEntry(info: FileInfo): FileEntry {
  const { name, relativeName, isDir, mode, size, modified, uid, gid, link, error } = info;
  return {
    ...{ name, relativeName, size, uid, gid, link, error },
    type: isDir ? "directory" : isSymlink(mode) ? "symlink" : "file",
    mode: mode & 0o777,
    modified: instantOf(Number(modified) * 1000),
  };
}

/** @throws {ReplyError} when it is not in there */
async function kubeconfigIn(archive: Buffer): Promise<string> {
  const entries = await unpackTar(gunzipSync(archive)).catch((cause: unknown) => {
    throw new ReplyError("the kubeconfig is not in an archive that can be read", { cause });
  });
  const found = entries.find(({ header }) => header.name === "kubeconfig")?.data;
  if (found === undefined) throw new ReplyError("there is no kubeconfig in the reply");
  return Buffer.from(found).toString();
}
