/**
 * The configuration in force: a file seeds a new state directory, the stored one is used from then
 * on, and a change goes through the same checks whichever way it comes.
 */
import { readFile } from "node:fs/promises";
import {
  checkMachineConfig,
  differingFields,
  loadMachineConfig,
  type MachineConfig as Config,
} from "#config";
import type { KeyProvider } from "#pki";
import { ACTIVE, MachineConfig, SEED } from "#resources";
import { type Clock, CodedError, type Random } from "#runtime";
import type { Store } from "#runtime/store";
import { demoConfig } from "./demo.ts";

/** A configuration that this node cannot take up. */
export class ConfigRefusedError extends CodedError {
  readonly code = "ERR_CONFIG_REFUSED";
}

export interface Surroundings {
  readonly store: Store;
  readonly keys: KeyProvider;
  readonly clock: Clock;
  readonly random: Random;
}

/** Reads and joins the files of one configuration; its checks come with {@link accept}. */
export async function readConfigFiles(paths: readonly string[]): Promise<Config> {
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  const joined = texts.map((text) => (text.endsWith("\n") ? text : `${text}\n`)).join("---\n");
  return loadMachineConfig(joined, paths.join(", "));
}

/**
 * Checks a new configuration.
 *
 * @returns warnings
 * @throws {ConfigInvalidError} naming every problem; {@link ConfigRefusedError} for a worker
 */
export async function accept(config: Config, { keys, clock }: Surroundings): Promise<string[]> {
  const { warnings } = await checkMachineConfig(config, {
    mode: "container",
    now: clock.now(),
    keys,
  });
  if (config.type !== "controlplane") {
    throw new ConfigRefusedError(
      "this is a worker's configuration: a worker joins through trustd, which this version does not " +
        "serve yet; use the controlplane.yaml that `trustplane gen config` writes beside it",
    );
  }
  return warnings;
}

/**
 * Puts a configuration in force before anything runs.
 *
 * @param files empty: the stored configuration, or a demo where there is none
 * @returns warnings for the operator, and whether a demo was made
 */
export async function settleConfiguration(
  files: readonly string[],
  options: Surroundings & { readonly overwrite: boolean; readonly demoAddress: string },
): Promise<{ readonly warnings: readonly string[]; readonly demo: boolean }> {
  if (files.length > 0) return { warnings: await takeUpFiles(files, options), demo: false };
  if (await options.store.get(MachineConfig, ACTIVE)) return { warnings: [], demo: false };
  await seed(await demoConfig(options), options);
  return { warnings: [], demo: true };
}

async function takeUpFiles(
  files: readonly string[],
  options: Surroundings & { readonly overwrite: boolean },
): Promise<readonly string[]> {
  const { store } = options;
  const stored = await store.get(MachineConfig, ACTIVE);
  const config = await readConfigFiles(files);
  if (!stored || options.overwrite) {
    const warnings = await accept(config, options);
    await seed(config.text, options);
    return warnings;
  }
  const seeded = await store.get(MachineConfig, SEED);
  const fields = seeded ? differingFields(loadMachineConfig(seeded.spec.yaml), config) : [];
  if (fields.length === 0) return [];
  return [
    `${files.join(", ")} differs from what this state directory was started with, which stays in ` +
      `force, in: ${fields.join(", ")}; apply it with \`trustplane apply-config -f FILE\`, or start ` +
      "once with --config-overwrite",
  ];
}

/** The active one first: a crash between the two costs no more than a later warning. */
async function seed(yaml: string, { store }: Surroundings): Promise<void> {
  for (const id of [ACTIVE, SEED]) {
    await store.modify(MachineConfig, id, (draft) => void (draft.yaml = yaml), {
      initial: { yaml },
    });
  }
}

/**
 * Takes up a configuration while running.
 *
 * @returns warnings, and a sentence that says what differs
 */
export async function applyConfiguration(
  text: string,
  options: Surroundings & { readonly dryRun: boolean },
): Promise<{ warnings: string[]; details: string }> {
  const { store } = options;
  const config = loadMachineConfig(text, "the configuration");
  const warnings = await accept(config, options);
  const stored = await store.get(MachineConfig, ACTIVE);
  const fields = stored ? differingFields(loadMachineConfig(stored.spec.yaml), config) : ["all"];
  const details =
    fields.length === 0 ? "No changes." : `Changed without a reboot: ${fields.join(", ")}`;
  if (options.dryRun) return { warnings, details: `Dry run. ${details}` };
  await store.modify(MachineConfig, ACTIVE, (draft) => void (draft.yaml = text), {
    initial: { yaml: text },
  });
  return { warnings, details };
}
