/** `list`: the files of the nodes (talosctl-wire.md §2.8). */
import { days, type Clock, type Instant } from "#runtime";
import type { FileEntry, FileType } from "../../client/index.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { formatTable } from "../output/table.ts";

/** The flags of `list`. */
export interface ListOptions {
  readonly long: boolean;
  readonly recurse: boolean;
  readonly depth?: number;
  readonly type?: readonly string[];
}

const TYPES: Readonly<Record<string, FileType>> = {
  f: "file",
  d: "directory",
  l: "symlink",
  L: "symlink",
};

/** Prints a line for each file; one that cannot be looked at is named on stderr. */
export const list = (
  io: Io,
  root: string,
  { long, recurse, depth = recurse ? 0 : 1, type = [] }: ListOptions,
  flags: Connection,
): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const types = type.flatMap((letter) => TYPES[letter] ?? []);
    const answers = await nodes.each(async (node) => {
      const found: FileEntry[] = [];
      for await (const file of nodes.client.files({ root, depth, types }, { node }))
        found.push(file);
      return found;
    });
    const rows: string[][] = [];
    for (const { node, answer } of answers)
      for (const file of answer)
        if (file.error !== "")
          io.stderr.write(`${node}: error reading file ${file.name}: ${file.error}\n`);
        else rows.push(long ? longRow(node, file, io.clock) : [node, file.relativeName]);
    const head = long
      ? ["NODE", "MODE", "UID", "GID", "SIZE(B)", "LASTMOD", "NAME"]
      : ["NODE", "NAME"];
    if (answers.length > 0) io.stdout.write(formatTable([head, ...rows]));
    return nodes.status();
  });

function longRow(node: string, file: FileEntry, clock: Clock): string[] {
  const { relativeName, link, uid, gid, size, modified } = file;
  const name = link === "" ? relativeName : `${relativeName} -> ${link}`;
  return [node, modeOf(file), ...[uid, gid, size].map(String), lastModified(modified, clock), name];
}

/** As Go prints its FileMode. */
function modeOf({ type, mode }: FileEntry): string {
  const letter = { file: "-", directory: "d", symlink: "L" }[type];
  const bits = Array.from("rwxrwxrwx", (bit, i) => ((mode >> (8 - i)) & 1 ? bit : "-"));
  return letter + bits.join("");
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const RECENT = days(180);

/** With the time of the day where it is recent, else with the year; in UTC. */
function lastModified(moment: Instant, clock: Clock): string {
  const date = new Date(moment);
  const day = `${MONTHS[date.getUTCMonth()] ?? ""} ${String(date.getUTCDate()).padStart(2)}`;
  const time = date.toISOString().slice(11, 19);
  return clock.now() - moment < RECENT
    ? `${day} ${time}`
    : `${day} ${date.getUTCFullYear()} ${time.slice(0, 5)}`;
}
