/** `validate`: the checks that a new configuration goes through (talos-pki.md §4.2). */
import { checkMachineConfig, loadMachineConfig } from "#config";
import { webCryptoKeys } from "#pki";
import { readInput } from "../files.ts";
import type { Io } from "../io.ts";
import { warn } from "../terminal.ts";

/** The flags of `validate`. */
export interface ValidateOptions {
  readonly config: string;
  readonly mode: "metal" | "cloud" | "container";
  readonly strict: boolean;
}

/** Says that a configuration is valid, or throws what is wrong with it. */
export async function validate(io: Io, options: ValidateOptions): Promise<number> {
  const { config: file, mode, strict } = options;
  const config = loadMachineConfig(await readInput(io, file), file);
  const now = io.clock.now();
  const { warnings } = await checkMachineConfig(config, {
    mode,
    strict,
    now,
    keys: webCryptoKeys(),
  });
  warn(io, warnings);
  io.stdout.write(`${file} is valid for ${mode} mode\n`);
  return 0;
}
