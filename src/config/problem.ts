/** What is wrong with a file, and where: `file:line: field: message`. */
import type { FieldPath } from "./yaml/read.ts";

/** A path as people write it: `machine.acceptedCAs[0].crt`. */
export const formatPath = (path: FieldPath): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");

/** One line for a problem; the field is named unless the message does so itself. */
export function formatProblem(
  path: FieldPath,
  message: string,
  { source, line }: { readonly source: string; readonly line: number },
): string {
  const field = formatPath(path);
  const place = `${source}:${line}: `;
  return field === "" || message.includes(field) ? place + message : `${place}${field}: ${message}`;
}
