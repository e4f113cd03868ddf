/**
 * The files that this node shows: facts about it, and what it publishes. They are laid out as on a
 * machine of Talos, and nothing else of the machine's disk is there.
 */
import { directories, fileSetId, type Directory as Published } from "#controllers";
import { FileSet, fqdn, HostnameStatus } from "#resources";
import { instantOf } from "#runtime";
import type { Store } from "#runtime/store";
import { readFile, stat } from "node:fs/promises";
import { release, type as system, version as build } from "node:os";
import { join } from "node:path";
import {
  type Directory,
  type Entry,
  type File,
  SecretFileError,
  type Stat,
  type Symlink,
} from "../apid/index.ts";
import type { Boot } from "./boot.ts";
import { version } from "./version.ts";

/** Makes the root directory; what is not on a disk dates from the boot. */
export function virtualTree({
  store,
  boot,
}: {
  readonly store: Store;
  readonly boot: Pick<Boot, "bootId" | "startedAt">;
}): Directory {
  const statOf = (size: number, mode: number) => ({
    stat: async (): Promise<Stat> => ({ size, mode, modified: boot.startedAt, uid: 0, gid: 0 }),
  });
  const directory = (entries: Directory["entries"]): Directory => ({
    kind: "directory",
    ...statOf(0, 0o755),
    entries,
  });
  const fixed = (entries: Readonly<Record<string, Entry>>): Directory =>
    directory(async () => new Map(Object.entries(entries)));
  const text = (write: () => Promise<string> | string): File => ({
    kind: "file",
    stat: async () => statOf(Buffer.byteLength(await write()), 0o444).stat(),
    read: async () => Buffer.from(await write()),
  });
  const link = (target: string): Symlink => ({ kind: "symlink", target, ...statOf(0, 0o777) });
  const pki = (path: string): Directory =>
    directory(async () => {
      const sets = (await store.list(FileSet)).filter(({ spec }) => spec.files.length > 0);
      const held = new Map(sets.map(({ metadata, spec }) => [metadata.id, spec]));
      const entries = new Map<string, Entry>();
      for (const name of Object.keys(directories) as Published[]) {
        const set = held.get(fileSetId(name));
        if (set === undefined) continue;
        if (name === path)
          for (const file of set.files)
            entries.set(file, published(join(set.directory, file), join(PKI, path, file)));
        const child = childOf(name, path);
        if (child !== undefined) entries.set(child, pki(join(path, child)));
      }
      return entries;
    });
  return fixed({
    etc: fixed({
      hostname: text(async () => `${await nameIn(store)}\n`),
      kubernetes: link(join(PKI, "kubernetes")),
      "os-release": text(() => OS_RELEASE),
    }),
    proc: fixed({
      sys: fixed({ kernel: fixed({ random: fixed({ boot_id: text(() => `${boot.bootId}\n`) }) }) }),
      version: text(() => kernel),
    }),
    system: fixed({ state: fixed({ pki: pki("") }) }),
  });
}

/** Where the PKI directory stands. */
const PKI = "/system/state/pki";

/** As Linux puts it: system and release, who built, what. */
const kernel = `${system()} version ${release()} (trustplane ${version}, node ${process.version}) ${build()}\n`;

const OS_RELEASE = `NAME="Trustplane"
ID=trustplane
VERSION_ID=v${version}
PRETTY_NAME="Trustplane v${version}"
`;

async function nameIn(store: Store): Promise<string> {
  const held = await store.get(HostnameStatus, "hostname");
  return held === undefined ? "" : fqdn(held.spec);
}

/** The first name of what is below the path on the way to `name`; empty is the root. */
function childOf(name: string, path: string): string | undefined {
  const prefix = path === "" ? "" : `${path}/`;
  return name.startsWith(prefix) && name !== path
    ? name.slice(prefix.length).split("/")[0]
    : undefined;
}

/** What everybody may read; everything else below the PKI directory is a key or has one in it. */
const PUBLIC = /\.(?:crt|pub)$/;

const published = (path: string, shown: string): File => ({
  kind: "file",
  async stat() {
    const { size, mode, mtimeMs, uid, gid } = await stat(path);
    return { size, mode: mode & 0o777, modified: instantOf(Math.trunc(mtimeMs)), uid, gid };
  },
  async read() {
    if (!PUBLIC.test(path)) throw new SecretFileError(shown);
    return readFile(path);
  },
});
