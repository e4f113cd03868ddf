/** `audit verify` and `audit tail`: the record of a node, read where it stands. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CodedError } from "#runtime";
import { auditDirectory, auditLines, verifyAudit, type AuditLine } from "../../audit/index.ts";
import { ArgumentError, fileAccess } from "../errors.ts";
import type { Io } from "../io.ts";
import { formatTable } from "../output/table.ts";

/** The flags of `audit verify`. */
export interface VerifyOptions {
  readonly stateDir: string;
  /** `NUMBER:HASH`. */
  readonly expect?: string;
}

/** The flags of `audit tail`. */
export interface TailOptions {
  readonly stateDir: string;
  /** -1: all. */
  readonly lines: number;
  readonly output: "table" | "json";
}

/** The audit log is not what was written. */
export class AuditBrokenError extends CodedError {
  readonly code = "ERR_AUDIT_BROKEN";
  readonly hint = "what stands before the first problem is as it was written";
}

/** Says that the log is whole, and how far it goes, or throws what is wrong with it. */
export async function verify(io: Io, { stateDir, expect }: VerifyOptions): Promise<number> {
  const directory = await directoryIn(io, stateDir);
  const verdict = await verifyAudit(directory, expect === undefined ? undefined : headOf(expect));
  const { files, lines, firstSeq, head, problems, notes } = verdict;
  for (const note of notes) io.stderr.write(`WARNING: ${note}\n`);
  if (problems.length > 0)
    throw new AuditBrokenError(`the audit log was changed:\n\t* ${problems.join("\n\t* ")}`);
  const since = firstSeq > 1 ? `, from line ${firstSeq} on: older files were dropped` : "";
  io.stdout.write(
    `${directory}: ${count(lines, "line")} in ${count(files, "file")}, nothing changed${since}\n` +
      `head ${head.seq}:${head.hash}\n`,
  );
  return 0;
}

const headOf = (text: string) => {
  const [seq = "", hash = ""] = text.split(":");
  return { seq: Number(seq), hash };
};

const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Prints the last lines; those that cannot be read are left to `verify`. */
export async function tail(io: Io, { stateDir, lines, output }: TailOptions): Promise<number> {
  const last: AuditLine[] = [];
  for await (const { line } of auditLines(await directoryIn(io, stateDir))) {
    if (line === undefined) continue;
    last.push(line);
    if (lines >= 0 && last.length > lines) last.shift();
  }
  if (output === "json") for (const line of last) io.stdout.write(`${JSON.stringify(line)}\n`);
  else io.stdout.write(formatTable([HEADER, ...last.map(rowOf)]));
  return 0;
}

const HEADER = ["TIME", "PEER", "SUBJECT", "METHOD", "NODES", "RESOURCE", "OUTCOME"];

const rowOf = (line: AuditLine): string[] => [
  line.time,
  line.peer,
  line.subject,
  line.method.slice(line.method.lastIndexOf(".") + 1),
  line.nodes.join(","),
  line.resource,
  `${line.outcome}${line.count === undefined ? "" : ` ×${line.count}`}` +
    (line.reason === "" ? "" : `: ${line.reason}`),
];

async function directoryIn(io: Io, stateDir: string): Promise<string> {
  const state = resolve(io.cwd, stateDir);
  const directory = auditDirectory(state);
  try {
    await stat(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new ArgumentError(
        `no audit log below ${state}; name the state directory of the node with --state-dir`,
        { cause },
      );
    throw fileAccess("read the audit log in", directory, cause);
  }
  return directory;
}
