/** Reads JSONPath templates of Kubernetes' dialect: text with paths in braces. */
import { JsonPathError } from "./errors.ts";

/** One step of a path, from values to values. */
export type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "wildcard" | "descend" }
  | { readonly kind: "index"; readonly index: number }
  | {
      readonly kind: "slice";
      readonly start: number | undefined;
      readonly end: number | undefined;
      readonly step: number | undefined;
    }
  | { readonly kind: "union"; readonly branches: readonly Step[] }
  | { readonly kind: "filter"; readonly filter: Filter };

export type Comparison = "==" | "!=" | "<=" | ">=" | "<" | ">";

/** `left` alone asks whether anything is there. */
export interface Filter {
  readonly left: Operand;
  readonly comparison?: { readonly operator: Comparison; readonly right: Operand };
}

export type Operand = { readonly path: readonly Step[] } | { readonly literal: unknown };

export type Part =
  | { readonly text: string }
  | { readonly path: readonly Step[] }
  | { readonly range: readonly Step[]; readonly body: readonly Part[] };

/** @throws {JsonPathError} that says where the template is malformed */
export function parseTemplate(template: string): readonly Part[] {
  const open: { range?: readonly Step[]; parts: Part[] }[] = [{ parts: [] }];
  const put = (part: Part) => open.at(-1)?.parts.push(part);
  for (let rest = template; rest !== "";) {
    const [text = ""] = /^[^{]*/.exec(rest) ?? [];
    if (text !== "") put({ text });
    rest = rest.slice(text.length);
    if (rest === "") break;
    const action = /^\{((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*)\}/.exec(rest);
    if (action === null) throw new JsonPathError(`unclosed action in ${JSON.stringify(template)}`);
    rest = rest.slice(action[0].length);
    const body = (action[1] ?? "").trim();
    if (body === "end") {
      const { range, parts } = (open.length > 1 ? open.pop() : undefined) ?? { parts: [] };
      if (range === undefined) throw new JsonPathError("not in range, nothing to end");
      put({ range, body: parts });
    } else if (body.startsWith("range ")) open.push({ range: path(body.slice(6)), parts: [] });
    else put(/^["']/.test(body) ? { text: quoted(body) } : { path: path(body) });
  }
  if (open.length > 1) throw new JsonPathError("unterminated range");
  return open[0]?.parts ?? [];
}

const FIELD = /^(?:\\.|[^.[\]\s()=<>!,?\\])+/;
const BRACKET = /^\[((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\[[^\]]*\]|[^\]"'[])*)\]/;

/** A path from `$`, `@` or nothing. */
function path(source: string): readonly Step[] {
  const steps: Step[] = [];
  let rest = source.trim().replace(/^[$@]/, "");
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const found = pattern.exec(rest);
    if (found === null) return undefined;
    rest = rest.slice(found[0].length);
    return found;
  };
  while (rest !== "") {
    const bracket = take(BRACKET);
    if (bracket !== undefined) {
      steps.push(selector((bracket[1] ?? "").trim()));
      continue;
    }
    const dots = take(/^\.\.?/);
    if (dots?.[0] === "..") steps.push({ kind: "descend" });
    if (rest === "" || (dots !== undefined && rest.startsWith("["))) continue;
    const name = take(FIELD)?.[0];
    if (name === undefined || (dots === undefined && steps.length > 0))
      throw new JsonPathError(`unrecognized character in path ${JSON.stringify(source)}`);
    if (name === "*") steps.push({ kind: "wildcard" });
    else steps.push({ kind: "field", name: name.replace(/\\(.)/g, "$1") });
  }
  return steps;
}

/** What stands between brackets. */
function selector(source: string): Step {
  if (source === "*") return { kind: "wildcard" };
  const filter = /^\?\s*\((.*)\)$/s.exec(source);
  if (filter !== null) return { kind: "filter", filter: condition(filter[1] ?? "") };
  const branches = outsideQuotes(source, ",");
  if (branches.length > 1)
    return { kind: "union", branches: branches.map((branch) => selector(branch.trim())) };
  if (/^["']/.test(source)) return { kind: "field", name: quoted(source) };
  const slice = /^(-?\d*)(?:(:)(-?\d*)(?::(-?\d*))?)?$/.exec(source);
  if (slice === null || source === "")
    throw new JsonPathError(`invalid array index ${JSON.stringify(source)}`);
  const [start, end, step] = [slice[1], slice[3], slice[4]].map((digits) =>
    digits === undefined || digits === "" ? undefined : Number(digits),
  );
  return slice[2] === undefined
    ? { kind: "index", index: start ?? 0 }
    : { kind: "slice", start, end, step };
}

function condition(source: string): Filter {
  const found = /^(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+)$/s.exec(source);
  if (found === null) return { left: operand(source) };
  const [, left = "", operator, right = ""] = found;
  return {
    left: operand(left),
    comparison: { operator: operator as Comparison, right: operand(right) },
  };
}

function operand(source: string): Operand {
  const trimmed = source.trim();
  if (/^["']/.test(trimmed)) return { literal: quoted(trimmed) };
  if (/^-?\d+(\.\d+)?$/.test(trimmed)) return { literal: Number(trimmed) };
  if (trimmed === "true" || trimmed === "false") return { literal: trimmed === "true" };
  return { path: path(trimmed) };
}

/** A quoted text; `\n`, `\t` and escaped quotes are known. */
function quoted(source: string): string {
  const quote = source.charAt(0);
  if (source.length < 2 || !source.endsWith(quote))
    throw new JsonPathError(`unterminated quoted string ${JSON.stringify(source)}`);
  return source
    .slice(1, -1)
    .replace(/\\(.)/gs, (_, c: string) => ({ n: "\n", t: "\t", r: "\r" })[c] ?? c);
}

function outsideQuotes(source: string, separator: string): string[] {
  const parts = [""];
  for (const [piece] of source.matchAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|./gs))
    if (piece === separator) parts.push("");
    else parts.push(`${parts.pop() ?? ""}${piece}`);
  return parts;
}
