/**
 * Flags with their value behind `=`, as Go's flags have it and users of talosctl write them:
 * `--force=false`, `-w=true`, `-o=yaml`.
 */
import { Option, type Command } from "commander";

/** What Go takes for a truth value. */
const truths = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

const negated = (option: Option): string => `--no-${option.name()}`;

/** Lets the flags of a command be written so. */
export function withGoFlags(command: Command): void {
  for (const option of command.options.filter((each) => each.isBoolean()))
    command.addOption(new Option(negated(option)).hideHelp());
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) => parse(rewritten(args, command));
}

/** The same arguments in commander's words; what follows `--` is no flag. */
function rewritten(args: readonly string[], command: Command): string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return [...args.slice(0, end).flatMap((arg) => words(arg, command)), ...args.slice(end)];
}

function words(arg: string, command: Command): string[] {
  const [, flag, value = ""] = /^(--[^=]+|-[^-=])=(.*)$/s.exec(arg) ?? [];
  const option = command.options.find(({ long, short }) => flag === long || flag === short);
  if (flag === undefined || option === undefined) return [arg];
  if (!option.isBoolean()) return flag.startsWith("--") ? [arg] : [flag, value];
  const truth = truths.get(value);
  if (truth === undefined)
    command.error(
      `error: option '${option.flags}' argument '${value}' is invalid. It is true or false.`,
    );
  return [truth ? flag : negated(option)];
}
