/** A line of the audit log, and the chain that it is a link of. */
import { createHash } from "node:crypto";

/** What is kept of a call. Nothing of it is secret. */
export interface AuditEntry {
  /** RFC 3339, with milliseconds. */
  readonly time: string;
  /** Address and port of the caller. */
  readonly peer: string;
  /** SHA-256 over the caller's certificate, lower hex. */
  readonly fingerprint: string;
  readonly subject: string;
  /** The roles that the call was made with. */
  readonly roles: readonly string[];
  /** Full path, `/package.Service/Method`. */
  readonly method: string;
  /** The nodes that the request names; none: the one that was asked. */
  readonly nodes: readonly string[];
  /** What it was about: `namespace/type/id`, a path, a service, ids of certificates. */
  readonly resource: string;
  /**
   * `OK`, the name of a gRPC status, or `BEGUN` in the line before a call that changes something or
   * hands out a secret. What the log says of itself is `DROPPED`, `LOST` or `DAMAGED`, without a method.
   */
  readonly outcome: string;
  /** Why it did not go well; empty when it did. */
  readonly reason: string;
  /** Address, port and fingerprint of the node that passed the call on for who is named here. */
  readonly via?: string;
  /** How many calls or lines it stands for, when it is not one. */
  readonly count?: number;
  /** The node was in maintenance, where callers have no certificate. */
  readonly maintenance?: true;
}

/** What the log says of itself. */
export const note = (
  time: string,
  about: Pick<AuditEntry, "outcome" | "resource" | "reason" | "count">,
): AuditEntry => ({
  ...{ time, peer: "", fingerprint: "", subject: "", roles: [], method: "", nodes: [] },
  ...about,
});

/** A line as it is stored. */
export interface AuditLine extends AuditEntry {
  /** Counts from 1, without a gap, over all files. */
  readonly seq: number;
  /** The hash of the line before; of the first one {@link GENESIS}. */
  readonly prev: string;
  /** SHA-256 over the line without this member, lower hex. */
  readonly hash: string;
}

/** Where the log has come to. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** Before the first line. */
export const GENESIS: Head = { seq: 0, hash: "0".repeat(64) };

/** Chains an entry to the line before it. */
export function chained(entry: AuditEntry, { seq, hash: prev }: Head): AuditLine {
  const line = { seq: seq + 1, ...entry, prev };
  return { ...line, hash: hashOf(line) };
}

/** Its members are written in the order they are in, so the text can be made again from the line. */
export const textOf = (line: AuditLine): string => `${JSON.stringify(line)}\n`;

/** @returns undefined for a text that is no line, or one that was changed */
export function readLine(text: string): AuditLine | undefined {
  try {
    const line = JSON.parse(text) as AuditLine;
    const { hash, ...rest } = line;
    return hashOf(rest) === hash ? line : undefined;
  } catch {
    return undefined;
  }
}

const hashOf = (line: Omit<AuditLine, "hash">): string =>
  createHash("sha256").update(JSON.stringify(line)).digest("hex");
