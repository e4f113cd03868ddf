/** PEM texts as Talos' files carry them: base64 of the whole text (talos-pki.md §2.5). */

/** What stands in place of a key that was taken out for printing; not base64. */
export const REDACTED = "******";

/** Writes a PEM text as base64 with padding, on one line. */
export const encodePem = (pem: string): string => Buffer.from(pem).toString("base64");

/** Reads a PEM text; the marker of a redacted key stays as it is, and what is no base64 is empty. */
export function decodePem(text: string): string {
  if (text === REDACTED) return text;
  return isBase64(text) ? Buffer.from(text, "base64").toString() : "";
}

/** Tells whether a text is standard base64 with padding; line breaks in it are allowed. */
export function isBase64(text: string): boolean {
  const digits = text.replace(/[\r\n]/g, "");
  return digits.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(digits);
}
