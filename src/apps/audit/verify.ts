/** Checks that an audit log is what was written: no line changed, left out, added or moved. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { auditFiles, damagedLogs } from "./files.ts";
import { GENESIS, readLine, type AuditLine, type Head } from "./line.ts";

/** What was found. */
export interface AuditVerdict {
  readonly files: number;
  readonly lines: number;
  /** Of the first line there is; 1 unless older files were dropped. 0 when there is none. */
  readonly firstSeq: number;
  /** What to keep somewhere else: it is the only proof that nothing is missing at the end. */
  readonly head: Head;
  /** Each names the file and the line. Empty: the log is whole. */
  readonly problems: readonly string[];
  /** What the log says is missing, and what cannot be told of it. */
  readonly notes: readonly string[];
}

/** A line and where it stands; undefined for a text that is no line. */
export interface Placed {
  readonly path: string;
  readonly number: number;
  readonly line: AuditLine | undefined;
}

/** All lines, the oldest first. */
export async function* auditLines(directory: string): AsyncGenerator<Placed> {
  for (const path of await auditFiles(directory)) {
    let number = 0;
    for await (const text of createInterface({ input: createReadStream(path) }))
      yield { path, number: ++number, line: readLine(text) };
  }
}

/**
 * Verifies a log; also while its node runs.
 *
 * @param expected a head that was seen before: it has to be in the log
 */
export async function verifyAudit(directory: string, expected?: Head): Promise<AuditVerdict> {
  const files = new Set(await auditFiles(directory));
  const problems: string[] = [];
  const notes: string[] = [];
  let [lines, firstSeq] = [0, 0];
  let head: Head = GENESIS;
  let isSeen = expected === undefined || expected.seq === 0;
  for await (const { path, number, line } of auditLines(directory)) {
    const place = `${path}:${number}`;
    lines++;
    if (line === undefined) {
      problems.push(`${place}: the line was changed, or is not whole`);
      continue;
    }
    if (firstSeq === 0) firstSeq = line.seq;
    else if (line.seq !== head.seq + 1)
      problems.push(`${place}: line ${line.seq} stands after line ${head.seq}`);
    else if (line.prev !== head.hash)
      problems.push(`${place}: line ${line.seq} does not belong to the one before it`);
    if (line.seq === 1 && line.prev !== GENESIS.hash)
      problems.push(`${place}: the first line belongs to another log`);
    if (line.method === "" && line.outcome === "LOST") notes.push(`${place}: ${line.reason}`);
    if (line.seq === expected?.seq) isSeen = line.hash === expected.hash;
    head = { seq: line.seq, hash: line.hash };
  }
  if (expected !== undefined && expected.seq > 0 && expected.seq < firstSeq)
    notes.push(
      `line ${expected.seq} was dropped with its file, so its hash cannot be held against the log`,
    );
  else if (!isSeen)
    problems.push(
      `line ${expected?.seq ?? 0} with the hash ${expected?.hash ?? ""} is not in the log`,
    );
  for (const path of await damagedLogs(directory))
    problems.push(`${path}: an earlier log that was changed; move it away when it was looked into`);
  return { files: files.size, lines, firstSeq, head, problems, notes };
}
