/** Random UUIDs (RFC 9562 §5.4), from a random source that is handed in. */
import type { Random } from "#runtime";

/** `f81d4fae-7dec-41d0-8765-00a0c91e6bf6`. */
export function uuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
