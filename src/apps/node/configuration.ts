/**
 * The configuration in force: a file seeds a new state directory, the stored one is used from then
 * on, and a change goes through the same checks whichever way it comes.
 */
import { readFile } from "node:fs/promises";
import { loadMachineConfig, type MachineConfig as Config } from "#config";
import { ACTIVE, MachineConfig, ROLLBACK, SEED, STAGED } from "#resources";
import { pointerTo } from "#runtime";
import type { Store } from "#runtime/store";
import { fileAccess } from "../cli/errors.ts";
import { accept, refuseOtherType, type Surroundings } from "./acceptance.ts";
import { demoConfig } from "./demo.ts";
import { differences, removalOf, writeOf } from "./stored-configuration.ts";
import { takeUpPending } from "./trial.ts";

/** Marks the seed of a state directory that a demo was made in, for all later starts. */
const DEMO = "trustplane.dev/demo";

/**
 * Reads and joins the files of one configuration; its checks come with {@link accept}.
 *
 * @throws {FileAccessError} {@link ConfigParseError} naming the file
 */
export async function readConfigFiles(paths: readonly string[]): Promise<Config> {
  const texts = await Promise.all(
    paths.map((path) =>
      readFile(path, "utf8").catch((cause: unknown) => {
        throw fileAccess("read", path, cause);
      }),
    ),
  );
  const joined = texts.map((text) => (text.endsWith("\n") ? text : `${text}\n`)).join("---\n");
  return loadMachineConfig(joined, paths.join(", "));
}

/**
 * Puts a configuration in force before anything runs.
 *
 * @param files empty: the stored configuration, or a demo where there is none
 * @returns warnings for the operator, and whether this state directory is a demo's
 */
export async function settleConfiguration(
  files: readonly string[],
  options: Surroundings & { readonly overwrite: boolean; readonly demoAddress: string },
): Promise<{ readonly warnings: readonly string[]; readonly demo: boolean }> {
  const { store } = options;
  const replaces = files.length > 0 && (options.overwrite || !(await holdsConfig(store)));
  const warnings = replaces ? await takeUpFiles(files, options) : await takeUpPending(options);
  if (files.length > 0 && !replaces) warnings.push(...(await warnOfDifference(files, store)));
  if (files.length === 0 && !(await holdsConfig(store)))
    await seed(await demoConfig(options), { [DEMO]: "" }, store);
  const seeded = await store.get(MachineConfig, SEED);
  return { warnings, demo: seeded !== undefined && DEMO in seeded.metadata.annotations };
}

async function takeUpFiles(files: readonly string[], options: Surroundings): Promise<string[]> {
  const config = await readConfigFiles(files);
  const warnings = await accept(config, options);
  refuseOtherType((await options.store.get(MachineConfig, ACTIVE))?.spec.yaml, config);
  await seed(config.text, {}, options.store);
  return warnings;
}

/** Also one that cannot be read: it is not replaced unasked. */
export const holdsConfig = (store: Store): Promise<boolean> =>
  store.core.snapshot([MachineConfig], (view) => {
    const pointer = pointerTo(MachineConfig, ACTIVE);
    return view.get(pointer) !== undefined || view.isDamaged?.(pointer) === true;
  });

/** One warning when the files are neither what seeded the state directory nor in force, or cannot be read. */
async function warnOfDifference(files: readonly string[], store: Store): Promise<string[]> {
  const name = files.join(", ");
  try {
    const config = await readConfigFiles(files);
    const seeded = await store.get(MachineConfig, SEED);
    const active = await store.get(MachineConfig, ACTIVE);
    const asSeeded = seeded && differences(seeded.spec.yaml, config).length === 0;
    const fields = active ? differences(active.spec.yaml, config) : [];
    // What seeded it may have been changed since by apply-config, which is no mistake.
    if (asSeeded || fields.length === 0) return [];
    return [
      `${name} differs from the configuration of this state directory, which stays in force, ` +
        `in: ${fields.join(", ")}; apply it with \`trustplane apply-config -f FILE\`, or ` +
        "start once with --config-overwrite",
    ];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [`${name} is not looked at, the stored configuration stays in force: ${reason}`];
  }
}

/** Stores what is in force and what it came from, both or none; what waited to be in force is gone. */
async function seed(
  yaml: string,
  annotations: Readonly<Record<string, string>>,
  store: Store,
): Promise<void> {
  const active = await store.get(MachineConfig, ACTIVE);
  const seeded = await store.get(MachineConfig, SEED);
  await store.core.commit([
    writeOf(ACTIVE, active, yaml),
    writeOf(SEED, seeded, yaml, annotations),
    ...removalOf(await store.get(MachineConfig, STAGED)),
    ...removalOf(await store.get(MachineConfig, ROLLBACK)),
  ]);
}
