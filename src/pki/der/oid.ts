/** Object identifiers between dotted text and the content octets of X.690 §8.19. */
import { DerError } from "../errors.ts";

const OID_BYTES_MAX = 64;

/**
 * @throws {DerError} when the octets are no identifier in its shortest form
 */
export function oidText(content: Uint8Array, what: string): string {
  if (content.length === 0 || content.length > OID_BYTES_MAX || (content.at(-1) ?? 0) >= 0x80)
    throw new DerError(`${what} is not an OBJECT IDENTIFIER`);
  let text = "";
  let arc = 0;
  let started = false;
  for (const octet of content) {
    if (!started && octet === 0x80) throw new DerError(`${what} has a padded arc`);
    started = octet >= 0x80;
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError(`${what} has too large an arc`);
    if (started) continue;
    if (text === "") {
      const root = Math.min(2, Math.floor(arc / 40));
      text = `${root}.${arc - root * 40}`;
    } else text += `.${arc}`;
    arc = 0;
  }
  return text;
}

/** The same few identifiers are written again and again. */
const KNOWN_MAX = 256;
const known = new Map<string, Uint8Array>();

/**
 * @returns octets to be copied, for they are shared
 * @throws {TypeError} when the text is not a dotted identifier
 */
export function oidContent(text: string): Uint8Array {
  const before = known.get(text);
  if (before !== undefined) return before;
  const content = encoded(text);
  if (known.size < KNOWN_MAX) known.set(text, content);
  return content;
}

function encoded(text: string): Uint8Array {
  if (!/^[0-2](\.\d+)+$/.test(text)) throw new TypeError(`not an object identifier: ${text}`);
  const [root = 0, branch = 0, ...rest] = text.split(".").map(Number);
  return Uint8Array.from([root * 40 + branch, ...rest].flatMap(arcOctets));
}

function arcOctets(arc: number): number[] {
  const octets = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
    octets.unshift((left % 128) | 0x80);
  return octets;
}
