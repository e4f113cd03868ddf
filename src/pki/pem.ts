/** Textual encoding of RFC 7468: 64 columns, LF, one LF at the end (talos-pki.md §2.5). */
import { PemError, PemLabelError } from "./errors.ts";

/** One block; `label` is what stands after BEGIN. */
export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
  /** Headers of RFC 1421, which only keys encrypted in the old way have. */
  readonly headers?: readonly string[];
}

const begin = /^-----BEGIN ([^\r\n]*?)-----[ \t]*\r?$/gm;
const foreign = /[^A-Za-z0-9+/]/;

function isBase64(digits: string): boolean {
  const padding = digits.endsWith("==") ? 2 : digits.endsWith("=") ? 1 : 0;
  const full = digits.length > 0 && digits.length % 4 === 0;
  return full && !foreign.test(padding === 0 ? digits : digits.slice(0, -padding));
}

/**
 * Reads all blocks; text around them is ignored.
 *
 * @throws {PemError} when a block has no end or is not base64
 */
export function readPem(text: string, source?: string): PemBlock[] {
  const place = source === undefined ? "" : `${source}: `;
  const blocks: PemBlock[] = [];
  let next = 0;
  for (const start of text.matchAll(begin)) {
    if (start.index < next) continue;
    const label = start[1] ?? "";
    const from = start.index + start[0].length;
    const end = text.indexOf(`-----END ${label}-----`, from);
    if (end < 0) throw new PemError(`${place}the PEM block ${JSON.stringify(label)} has no end`);
    next = end;
    blocks.push(readBody(label, text.slice(from, end), place));
  }
  return blocks;
}

function readBody(label: string, body: string, place: string): PemBlock {
  const lines = body.split("\n").map((line) => line.trim());
  const headers = lines.filter((line) => line.includes(":"));
  const digits = lines.filter((line) => !line.includes(":")).join("");
  if (!isBase64(digits))
    throw new PemError(`${place}the PEM block ${JSON.stringify(label)} is not base64`);
  const der = new Uint8Array(Buffer.from(digits, "base64"));
  return headers.length === 0 ? { label, der } : { label, der, headers };
}

/**
 * The first block of a text, when its label is one of `wanted`.
 *
 * @throws {PemError} when there is no block
 * @throws {PemLabelError} when the first block is of another kind
 */
export function pemOf(
  from: string | readonly PemBlock[],
  wanted: readonly string[],
  source?: string,
): PemBlock {
  const [block] = typeof from === "string" ? readPem(from, source) : from;
  if (block === undefined) {
    const place = source === undefined ? "" : `${source}: `;
    throw new PemError(`${place}holds no PEM block; ${wanted.join(" or ")} belongs here`);
  }
  if (!wanted.includes(block.label)) throw new PemLabelError(block.label, wanted, source);
  return block;
}

/** Writes one block. */
export function writePem(label: string, der: Uint8Array): string {
  const digits = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  const lines = digits.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
