/**
 * JSON-safe values as YAML that every reader takes for the same value: YAML 1.1 and 1.2, go-yaml
 * among them. Laid out as Talos prints it: four spaces, sequences indented below their key, texts of
 * several lines as literal blocks (talosctl-wire.md §4.3, §4.4).
 */

/** The next stop to the right: four spaces, or the two that are left of them within a list. */
const deeper = (indent: string): string => " ".repeat(4 * (Math.floor(indent.length / 4) + 1));

/** Writes one YAML document; never empty, `{}` for an object without members. */
export const yamlText = (value: unknown): string =>
  isNested(value) ? linesOf(value, "") : `${inline(value, "")}\n`;

type Collection = readonly unknown[] | Readonly<Record<string, unknown>>;

const isNested = (value: unknown): value is Collection =>
  typeof value === "object" &&
  value !== null &&
  (Array.isArray(value) ? value.length : Object.keys(value).length) > 0;

const isList = (value: Collection): value is readonly unknown[] => Array.isArray(value);

/** The lines of a collection that is not empty. One text grows: a watch of a kind writes thousands. */
function linesOf(value: Collection, indent: string): string {
  let text = "";
  if (isList(value)) {
    for (const item of value) text += itemLines(item, indent);
    return text;
  }
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    text += `${indent}${scalarLine(key)}:`;
    text += isNested(member)
      ? `\n${linesOf(member, deeper(indent))}`
      : ` ${inline(member, indent)}\n`;
  }
  return text;
}

function itemLines(item: unknown, indent: string): string {
  if (!isNested(item)) return `${indent}- ${inline(item, indent)}\n`;
  const below = `${indent}  `;
  return `${indent}- ${linesOf(item, below).slice(below.length) || "\n"}`;
}

/** A value that begins on the line of its key or dash. */
function inline(value: unknown, indent: string): string {
  if (Array.isArray(value)) return "[]";
  if (typeof value === "object" && value !== null) return "{}";
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  return value.includes("\n") && fitsBlock(value)
    ? literalBlock(value, deeper(indent))
    : scalarLine(value);
}

// eslint-disable-next-line no-control-regex -- these are what a plain or literal text cannot hold
const unprintable = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/u;

/**
 * Readers disagree on blocks that begin with a space or a blank line, and on trailing blank ones.
 */
const fitsBlock = (text: string): boolean =>
  !unprintable.test(text) && /^[^\s]/.test(text) && !/\n[\t ]*\n?$/.test(text.replace(/\n$/, ""));

function literalBlock(text: string, indent: string): string {
  const chomped = text.endsWith("\n") ? text.slice(0, -1) : text;
  const body = chomped
    .split("\n")
    .map((line) => (line === "" ? "" : `${indent}${line}`))
    .join("\n");
  return `|${text.endsWith("\n") ? "" : "-"}\n${body}`;
}

const scalarLine = (text: string): string => (isPlain(text) ? text : quoted(text));

/** Text that no reader takes for anything else. Quotes too much rather than too little. */
const isPlain = (text: string): boolean =>
  isWord(text) ||
  ((/^[\p{L}_/]/u.test(text) || ipv4.test(text) || quantity.test(text)) &&
    !/: |:$| #|[\t\n ]$|\t|\n/.test(text) &&
    !unprintable.test(text) &&
    !/^(?:null|true|false|yes|no|on|off|y|n)$/i.test(text));

/** The quick answer for most keys and many texts; longer than the words that mean something else. */
const isWord = (text: string): boolean => text.length > 5 && /^[A-Za-z_/][\w./-]*$/.test(text);

const ipv4 = /^\d+\.\d+\.\d+\.\d+(?:\/\d+)?$/;
/** Digits with a unit, like `24h0m0s`: the letters are in no notation of numbers or dates. */
const quantity = /^\d+[hms][\dhms]*$/;

/** JSON's strings are YAML's, but for what older readers take for line breaks. */
const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
