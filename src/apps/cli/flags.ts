/** Flags that several verbs share, and what their values may look like. */
import { isIP } from "node:net";
import { InvalidArgumentError, Option, type Command } from "commander";
import type { Io } from "./io.ts";

/** Runs a verb; its status becomes that of the program. */
export type Run = (verb: (io: Io) => Promise<number>) => Promise<void>;

/** Which nodes to talk to, through which endpoints, as whom. */
export interface Connection {
  readonly talosconfig?: string;
  readonly context?: string;
  readonly endpoints?: readonly string[];
  readonly nodes?: readonly string[];
  readonly cluster?: string;
  /** The nodes are in maintenance: they are endpoints, and nobody is identified. */
  readonly insecure?: boolean;
  readonly certFingerprint?: string;
}

/** `a,b` and repeated flags are one list, as in talosctl. */
export const listed = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...value.split(",").filter((item) => item !== ""),
];

/** Repeated flags are one list; a comma belongs to the value. */
export const repeated = (
  value: string,
  before: readonly string[] | undefined,
): readonly string[] => [...(before ?? []), value];

/** The flags that say which nodes a verb talks to; they may also stand before the verb. */
export function withConnectionFlags(command: Command): Command {
  return command
    .option("--talosconfig <file>", "the talosconfig to use")
    .option("--context <name>", "the context of it to use")
    .option(
      "-e, --endpoints <host>",
      "connect to these endpoints instead (comma-separated)",
      listed,
    )
    .option("-n, --nodes <node>", "talk to these nodes instead (comma-separated)", listed)
    .option("-c, --cluster <name>", "the cluster to connect to, where a proxy serves several");
}

/** The flags of verbs that nodes in maintenance answer. */
export const withInsecureFlags = (command: Command): Command =>
  withConnectionFlags(command)
    .option("-i, --insecure", "ask nodes in maintenance, which have no certificate to check yet")
    .option("--cert-fingerprint <sha256>", "what the node printed, with --insecure", fingerprint);

/** Base64 of 32 bytes. */
function fingerprint(value: string): string {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(value))
    throw new InvalidArgumentError("Not the base64 of a SHA-256 fingerprint.");
  return value;
}

/** The connection flags of a verb and of what stands before it; the one nearest to the verb wins. */
export function connection(command: Command): Connection {
  const { talosconfig, context, endpoints, nodes, cluster, insecure, certFingerprint } = {
    ...(command.parent === null ? {} : connection(command.parent)),
    ...command.opts<Connection>(),
  };
  return {
    ...(talosconfig !== undefined && { talosconfig }),
    ...(context !== undefined && { context }),
    ...(endpoints !== undefined && { endpoints }),
    ...(nodes !== undefined && { nodes }),
    ...(cluster !== undefined && { cluster }),
    ...(insecure !== undefined && { insecure }),
    ...(certFingerprint !== undefined && { certFingerprint }),
  };
}

/** Whether `--force` stands with a verb or before it. */
export const forced = (command: Command): boolean =>
  command.optsWithGlobals<{ force?: boolean }>().force ?? false;

/** A flag with a few possible values. */
export const choice = (flags: string, description: string, values: readonly string[]): Option =>
  new Option(flags, description).choices(values);

/** An IPv4 or IPv6 address; one with a zone means nothing on another machine. */
const isAddress = (value: string): boolean => isIP(value) !== 0 && !value.includes("%");

/** An IP address. */
export function ipAddress(value: string): string {
  if (!isAddress(value)) throw new InvalidArgumentError("Not an IP address.");
  return value;
}

/** Several IP addresses, comma-separated or repeated. */
export const ipAddresses = (
  value: string,
  before: readonly string[] | undefined,
): readonly string[] => {
  const all = listed(value, before);
  for (const address of all)
    if (!isAddress(address)) throw new InvalidArgumentError(`invalid IP: ${address}`);
  return all;
};

/** A file to write, or `-`. */
export function filePath(value: string): string {
  if (value === "") throw new InvalidArgumentError("It is empty.");
  return value;
}

/** A name that files get with an ending of ours: it leads to no other directory. */
export function fileStem(value: string): string {
  if (value === "") throw new InvalidArgumentError("It is empty.");
  if (/[/\\\0]/.test(value))
    throw new InvalidArgumentError("A file's name has no / and no \\ in it.");
  return value;
}

/** A TCP port that can be listened on. */
export function port(value: string): number {
  const number = /^\d+$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > 65535) throw new InvalidArgumentError("Not a port, 1 to 65535.");
  return number;
}

/** A positive whole number of hours. */
export function wholeHours(value: string): number {
  const number = /^\d{1,7}$/.test(value) ? Number(value) : 0;
  if (number < 1) throw new InvalidArgumentError("Not a positive number of hours.");
  return number;
}

/** A positive duration as Go writes them, `8760h` or `1h30m`; it stays a text here. */
export function durationText(value: string): string {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(value) || !/[1-9]/.test(value))
    throw new InvalidArgumentError("Not a positive duration such as 8760h or 1h30m.");
  return value;
}

/** A whole number that fits the wire. */
export function count(value: string): number {
  const number = /^-?\d{1,10}$/.test(value) ? Number(value) : NaN;
  if (!(Math.abs(number) < 2 ** 31)) throw new InvalidArgumentError("Not a whole number.");
  return number;
}
