/**
 * YAML as Go's library writes it with an indentation of four, so that our files and Talos' files are
 * the same bytes: list items are indented below their key, and what is within an item goes to the
 * next multiple of four.
 */

import { isVerbatim, type Verbatim } from "./read.ts";

/** What can be written; fields that are undefined are left out. */
export type Writable =
  string | number | boolean | null | Verbatim | readonly Writable[] | WritableMap;

/** A mapping to write. */
export interface WritableMap {
  readonly [key: string]: Writable | undefined;
}

const INDENT = 4;

/** Writes one document, with a line feed at its end. */
export function writeYaml(value: WritableMap): string {
  const lines = mapLines(value, 0);
  return lines.length === 0 ? "{}\n" : `${lines.join("\n")}\n`;
}

/** Writes several documents. */
export const writeYamlDocuments = (documents: readonly WritableMap[]): string =>
  documents.map(writeYaml).join("---\n");

const within = (indent: number): number => INDENT * (Math.floor(indent / INDENT) + 1);

function mapLines(map: WritableMap, indent: number): string[] {
  return Object.entries(map).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const name = `${" ".repeat(indent)}${scalar(key)}:`;
    const lines = valueLines(value, within(indent));
    return lines.inline === undefined
      ? [name, ...lines.below]
      : [`${name} ${lines.inline}`, ...lines.below];
  });
}

function listLines(list: readonly Writable[], indent: number): string[] {
  const dash = `${" ".repeat(indent)}- `;
  return list.flatMap((item) => {
    const { inline, below } = valueLines(item, indent + 2);
    if (inline !== undefined) return [`${dash}${inline}`, ...below];
    const [first = "", ...rest] = below;
    return [`${dash}${first.trimStart()}`, ...rest];
  });
}

/** The part that stands behind the key or dash, if any, and the lines below it. */
function valueLines(value: Writable, indent: number): { inline?: string; below: string[] } {
  if (typeof value === "string" && value.includes("\n") && isBlockText(value))
    return blockText(value, indent);
  if (typeof value === "string") return { inline: scalar(value), below: [] };
  if (isVerbatim(value)) return { inline: value.source, below: [] };
  if (typeof value !== "object" || value === null) return { inline: String(value), below: [] };
  if (isList(value))
    return value.length === 0 ? { inline: "[]", below: [] } : { below: listLines(value, indent) };
  const below = mapLines(value, indent);
  return below.length === 0 ? { inline: "{}", below } : { below };
}

const isList = (value: Writable): value is readonly Writable[] => Array.isArray(value);

const isBlockText = (text: string): boolean => !/^[\s]|[^\n\P{C}]|[ \t]$/mu.test(text);

function blockText(text: string, indent: number): { inline: string; below: string[] } {
  const body = text.replace(/\n+$/, "");
  const feeds = text.length - body.length;
  const sign = ["|-", "|"][feeds] ?? "|+";
  const lines = text.slice(0, feeds === 0 ? undefined : -1).split("\n");
  const margin = " ".repeat(indent);
  return { inline: sign, below: lines.map((line) => (line === "" ? "" : margin + line)) };
}

/** Texts that a YAML 1.1 or 1.2 reader takes for something else. */
const notText =
  /^(?:~|null|true|false|yes|no|on|off|y|n|<<|=|[-+]?\.inf|\.nan|[-+]?(?:0[xob])?[\d_][\d_a-f]*|[-+]?(?:[\d_]+\.?[\d_]*|\.[\d_]+)(?:e[-+]?\d+)?|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?|\d{4}-\d\d?-\d\d?(?:[Tt ].*)?)$/i;

/** Where a plain text would be read as punctuation. */
const notPlain = /^[,[\]{}#&*!|>'"%@`]|^[-?:](?:\s|$)|:(?:\s|$)|\s#|^\s|\s$|^---|^\.\.\./;

function scalar(text: string): string {
  if (text === "" || notText.test(text) || /[^\P{C}]/u.test(text)) return JSON.stringify(text);
  return notPlain.test(text) ? `'${text.replaceAll("'", "''")}'` : text;
}
