/** Events as bytes of `cosi.resource.Event`, and many of them as one `WatchResponse`. */
import type { WatchEvent } from "../store/store.ts";
import { EventType } from "./gen/v1alpha1/state.ts";
import { lengthOfVarint } from "./message-writer.ts";
import type { ResourceBytes } from "./wire.ts";

const eventTypes = {
  created: EventType.CREATED,
  updated: EventType.UPDATED,
  destroyed: EventType.DESTROYED,
  bootstrapped: EventType.BOOTSTRAPPED,
  errored: EventType.ERRORED,
  noop: EventType.NOOP,
} as const satisfies Record<WatchEvent["type"], EventType>;

/** Tags of the fields: number and wire type in one byte. */
const EVENT = 0x0a;
const EVENT_TYPE = 0x10;
const OLD = 0x1a;
const ERROR = 0x22;
const BOOKMARK = 0x2a;

const nothing = Buffer.alloc(0);

/** What stands beside a resource. */
interface Details {
  readonly resource: Buffer;
  readonly old: Buffer;
  readonly error: Buffer | undefined;
  readonly bookmark: Uint8Array | undefined;
}

/**
 * Encodes an event as one entry of a `WatchResponse`, so that entries in a row are a message: `old`
 * stands only on UPDATED, the bookmark where the store gave one, and ERRORED has no resource.
 *
 * @param subject the address that BOOTSTRAPPED and NOOP speak of, as a tombstone
 */
export function eventBytes(event: WatchEvent, bytesOf: ResourceBytes, subject: Buffer): Buffer {
  const details = detailsOf(event, bytesOf, subject);
  const type = eventTypes[event.type];
  const { resource, old, error, bookmark } = details;
  const length =
    resource.length + old.length + (type === 0 ? 0 : 2) + field(error) + field(bookmark);
  const out = Buffer.allocUnsafe(1 + lengthOfVarint(length) + length);
  let at = start(out, 0, EVENT, length);
  out.set(resource, at);
  at += resource.length;
  if (type !== 0) {
    out[at++] = EVENT_TYPE;
    out[at++] = type;
  }
  if (old.length > 0) {
    out.set(old, at);
    out[at] = OLD; // else the field of the same bytes as a resource
    at += old.length;
  }
  if (error !== undefined) at = put(out, at, ERROR, error);
  if (bookmark !== undefined) put(out, at, BOOKMARK, bookmark);
  return out;
}

function detailsOf(event: WatchEvent, bytesOf: ResourceBytes, subject: Buffer): Details {
  switch (event.type) {
    case "errored":
      return {
        resource: nothing,
        old: nothing,
        error: Buffer.from(event.error.message),
        bookmark: undefined,
      };
    case "bootstrapped":
    case "noop":
      return { resource: subject, old: nothing, error: undefined, bookmark: event.bookmark };
    default:
      return {
        resource: bytesOf(event.resource),
        old: event.type === "updated" ? bytesOf(event.old) : nothing,
        error: undefined,
        bookmark: event.bookmark,
      };
  }
}

const field = (value: Uint8Array | undefined): number =>
  value === undefined ? 0 : 1 + lengthOfVarint(value.length) + value.length;

function start(out: Buffer, at: number, tag: number, length: number): number {
  let next = at;
  out[next++] = tag;
  let rest = length;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out[next++] = (rest % 128) | 0x80;
  out[next++] = rest;
  return next;
}

function put(out: Buffer, at: number, tag: number, value: Uint8Array): number {
  const next = start(out, at, tag, value.length);
  out.set(value, next);
  return next + value.length;
}

/** Puts entries together to messages of about `bytesMax`, in order; one entry may be larger. */
export function* messagesOf(entries: Iterable<Buffer>, bytesMax: number): Generator<Buffer> {
  let message: Buffer[] = [];
  let size = 0;
  for (const entry of entries) {
    if (size > 0 && size + entry.length > bytesMax) {
      yield joined(message, size);
      message = [];
      size = 0;
    }
    message.push(entry);
    size += entry.length;
  }
  if (size > 0) yield joined(message, size);
}

const joined = (entries: readonly Buffer[], size: number): Buffer => {
  const [only] = entries;
  return entries.length === 1 && only !== undefined ? only : Buffer.concat(entries, size);
};
