/** Tokens and secrets of a cluster: drawn, and recognised (talos-pki.md §3.1, "Random tokens"). */
import type { Random } from "#runtime";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
/** The largest multiple of 36 in a byte: values from here on would favour some characters. */
const FAIR_BELOW = 252;
const SECRET_BYTES = 32;

/** Draws a token `xxxxxx.xxxxxxxxxxxxxxxx`: a public id, and what is secret. */
export const issueToken = (random: Random): string => `${draw(random, 6)}.${draw(random, 16)}`;

/** Tells whether a text has the form of a token. */
export const isToken = (text: string): boolean => /^[0-9a-z]{6}\.[0-9a-z]{16}$/.test(text);

/** Draws 32 bytes as base64: ids and secrets of clusters, encryption keys. */
export const issueSecret = (
  random: Random,
  alphabet: "base64" | "base64url" = "base64",
): string => {
  const text = Buffer.from(random.bytes(SECRET_BYTES)).toString("base64");
  return alphabet === "base64" ? text : text.replaceAll("+", "-").replaceAll("/", "_");
};

function draw(random: Random, length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of random.bytes(length - text.length))
      if (byte < FAIR_BELOW) text += ALPHABET.charAt(byte % ALPHABET.length);
  }
  return text;
}
