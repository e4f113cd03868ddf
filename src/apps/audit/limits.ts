/** How much of a call goes on record: enough to know it by, whatever a caller sends. */
import type { AuditEntry } from "./line.ts";

/** In UTF-16 units, each at most three bytes of a line. */
const TEXT_MAX = 256;
/** Of a path. */
const RESOURCE_MAX = 1024;
const REASON_MAX = 1024;
const NODES_MAX = 32;
const NODE_MAX = 64;
const ROLES_MAX = 16;

/** Cuts every member to its limit; what was cut ends in `…`. */
export const bounded = (entry: AuditEntry): AuditEntry => ({
  ...entry,
  peer: cut(entry.peer, TEXT_MAX),
  fingerprint: cut(entry.fingerprint, TEXT_MAX),
  subject: cut(entry.subject, TEXT_MAX),
  roles: list(entry.roles, ROLES_MAX),
  method: cut(entry.method, TEXT_MAX),
  nodes: list(entry.nodes, NODES_MAX),
  resource: cut(entry.resource, RESOURCE_MAX),
  outcome: cut(entry.outcome, TEXT_MAX),
  reason: cut(entry.reason, REASON_MAX),
  ...(entry.via !== undefined && { via: cut(entry.via, TEXT_MAX) }),
});

function list(texts: readonly string[], max: number): string[] {
  const kept = texts.slice(0, max).map((text) => cut(text, NODE_MAX));
  return texts.length > max ? [...kept, `… ${texts.length - max} more`] : kept;
}

/** Control characters would be longer on disk, and do things to terminals. */
function cut(text: string, max: number): string {
  const short = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return short.toWellFormed().replace(/\p{Cc}/gu, "?");
}
