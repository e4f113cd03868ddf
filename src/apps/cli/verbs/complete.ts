/** `__complete`: what a word on the command line can become. It is quick, silent, and never fails. */
import { after, seconds } from "#runtime";
import type { Command, Option } from "commander";
import { connection, type Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { argumentsOf, valuesOf, type Source } from "./complete-values.ts";

/** Nobody waits longer for a key to take effect. */
const PATIENCE = seconds(3);

/** Prints one candidate a line; none where nothing is known, and the shell offers files. */
export async function complete(io: Io, typed: readonly string[], root: Command): Promise<number> {
  const { found, prefix } = await candidates(io, rejoined(typed), root);
  for (const candidate of [...new Set(found)].sort()) io.stdout.write(`${prefix}${candidate}\n`);
  return 0;
}

interface Words {
  readonly before: readonly string[];
  readonly current: string;
  /** What the shell takes for another word stays out of the candidates. */
  readonly isSplit: boolean;
}

/** Puts `--output`, `=` and `yaml` together, which bash takes for three words. */
function rejoined(typed: readonly string[]): Words {
  const words: string[] = [];
  let isSplit = false;
  for (const [i, word] of typed.entries()) {
    isSplit = word === "=" || typed[i - 1] === "=";
    if (isSplit && words.length > 0) words.push(`${words.pop() ?? ""}${word}`);
    else words.push(word);
  }
  return { before: words.slice(0, -1), current: words.at(-1) ?? "", isSplit };
}

interface Candidates {
  readonly found: readonly string[];
  /** What of the word is not to be completed any more. */
  readonly prefix: string;
}

async function candidates(io: Io, words: Words, root: Command): Promise<Candidates> {
  const at = positionOf(words.before, root);
  const { current, isSplit } = words;
  const [, flag = "", value = ""] = /^(--[^=]+=)(.*)$/s.exec(current) ?? [];
  const option = flag === "" ? at.option : optionNamed(at.command, flag.slice(0, -1));
  if (option !== undefined) {
    const [prefix, wanted] = lastOfList(flag === "" ? current : value);
    const source = valuesOf(option);
    const start = isSplit ? "" : flag;
    return { prefix: start + prefix, found: await startingWith(wanted, source, io, at) };
  }
  if (current.startsWith("-")) {
    const flags = at.command.options.filter(({ hidden }) => !hidden);
    const found = [...flags.map(({ long }) => long ?? ""), "--help"];
    return { prefix: "", found: found.filter((name) => name.startsWith(current)) };
  }
  const verbs = at.args.length === 0 ? visible(at.command) : [];
  if (verbs.length > 0)
    return { prefix: "", found: verbs.filter((name) => name.startsWith(current)) };
  const source = argumentsOf(pathOf(at.command), at.args, at.command);
  return { prefix: "", found: await startingWith(current, source, io, at) };
}

/** Where the words before the current one lead. */
interface Position {
  readonly command: Command;
  readonly args: readonly string[];
  /** The option whose value is to come. */
  readonly option: Option | undefined;
  readonly flags: Connection;
}

function positionOf(before: readonly string[], root: Command): Position {
  let command = root;
  let option: Option | undefined;
  const args: string[] = [];
  const given = new Map<string, string>();
  for (const word of before) {
    if (option !== undefined) {
      given.set(option.attributeName(), word);
      option = undefined;
    } else if (word.startsWith("-")) {
      const [name = "", value] = word.split(/=(.*)/s);
      const found = optionNamed(command, name);
      if (value !== undefined && found) given.set(found.attributeName(), value);
      else if (found?.required === true) option = found;
    } else {
      const verb = args.length === 0 ? commandNamed(command, word) : undefined;
      if (verb === undefined) args.push(word);
      else command = verb;
    }
  }
  const { talosconfig, context } = Object.fromEntries(given);
  const [endpoints, nodes] = [given.get("endpoints")?.split(","), given.get("nodes")?.split(",")];
  const flags = {
    ...connection(command),
    ...(talosconfig !== undefined && { talosconfig }),
    ...(context !== undefined && { context }),
    ...(endpoints !== undefined && { endpoints }),
    ...(nodes !== undefined && { nodes }),
  };
  return { command, args, option, flags };
}

const optionNamed = ({ options }: Command, name: string): Option | undefined =>
  options.find(({ long, short }) => long === name || short === name);

const commandNamed = ({ commands }: Command, name: string): Command | undefined =>
  commands.find((command) => command.name() === name || command.aliases().includes(name));

const visible = ({ commands }: Command): string[] =>
  commands.map((command) => command.name()).filter((name) => !name.startsWith("__"));

const pathOf = (command: Command): string =>
  command.parent === null ? "" : `${pathOf(command.parent)} ${command.name()}`.trim();

/** A comma-separated list is completed at its end. */
function lastOfList(text: string): readonly [before: string, last: string] {
  const end = text.lastIndexOf(",") + 1;
  return [text.slice(0, end), text.slice(end)];
}

/** What a node says in time. */
async function startingWith(
  wanted: string,
  source: Source | undefined,
  io: Io,
  { flags }: Position,
): Promise<readonly string[]> {
  if (source === undefined) return [];
  let cancel: (() => void) | undefined;
  const late = new Promise<readonly string[]>((resolve) => {
    cancel = io.clock.alarm(after(io.clock.now(), PATIENCE), () => resolve([]));
  });
  const quiet = { ...io, stdout: { write: () => true }, stderr: { write: () => true } };
  const asked = source(quiet, flags, wanted).catch(() => []); // a word stays as it is, then
  const found = await Promise.race([asked, late]).finally(() => cancel?.());
  return found.filter((value) => value.startsWith(wanted));
}
