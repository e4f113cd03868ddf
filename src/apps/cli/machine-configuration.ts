/** The configuration of a node, as verbs fetch it, apply it, and tell what came of it. */
import { parse } from "yaml";
import { readDuration } from "#config/talosconfig";
import { CodedError } from "#runtime";
import { CallFailedError, ReplyError, type ApplyMode, type Client } from "../client/index.ts";
import type { Io } from "./io.ts";
import type { Answer } from "./nodes.ts";
import { warn } from "./terminal.ts";

/** How a configuration is applied, as flags say it. */
export interface ApplyFlags {
  readonly mode: ApplyMode;
  /** Of the mode `try`, as Go writes durations. */
  readonly timeout: string;
  readonly dryRun: boolean;
}

/** What a node says of a configuration that it took. */
export type Applied = Awaited<ReturnType<Client["applyConfiguration"]>>;

/** A node did not take the configuration. */
export class ConfigurationNotTakenError extends CodedError {
  readonly code = "ERR_CONFIGURATION_NOT_TAKEN";
}

const POINTER = {
  namespace: "config",
  type: "MachineConfigs.config.talos.dev",
  id: "v1alpha1",
} as const;

/** The text of the configuration that is in force on a node. */
export async function fetchConfiguration(client: Client, node: string): Promise<string> {
  const { yamlSpec } = await client.get(POINTER, { node });
  const text: unknown = parse(yamlSpec);
  if (typeof text !== "string") throw new ReplyError("the machine configuration is no text");
  return text;
}

/**
 * Hands a node a configuration.
 *
 * @param name what it is called in what the node says of it
 * @throws {ConfigurationNotTakenError} when the node refuses it
 */
export async function applyTo(
  client: Client,
  node: string,
  {
    data,
    name,
    flags,
  }: { readonly data: string; readonly name: string; readonly flags: ApplyFlags },
): Promise<Applied> {
  const { mode, dryRun, timeout } = flags;
  const request = { data, mode, dryRun, tryTimeout: readDuration(timeout) ?? 0 };
  try {
    return await client.applyConfiguration(request, { node });
  } catch (error) {
    if (!(error instanceof CallFailedError)) throw error;
    throw new ConfigurationNotTakenError(nameFile(error.message, name), { cause: error });
  }
}

/** Prints what nodes said, on stderr as talosctl does. */
export function tellApplied(
  io: Io,
  answers: readonly Answer<Applied>[],
  { several, name }: { readonly several: boolean; readonly name: string },
): void {
  for (const { node, answer } of answers) {
    const place = several ? `${node}: ` : "";
    warn(
      io,
      answer.warnings.map((warning) => place + nameFile(warning, name)),
    );
    if (answer.modeDetails !== "") io.stderr.write(`${place}${answer.modeDetails.trimEnd()}\n`);
  }
}

/** A node does not know what the file is called: it says `the configuration:LINE: …`. */
export const nameFile = (text: string, file: string): string =>
  text.replace(/(^|[\s=])the configuration:(?=\d| )/g, (_, before: string) => `${before}${file}:`);
