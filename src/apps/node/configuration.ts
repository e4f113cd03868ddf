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
import { type KeyProvider, readCertificate } from "#pki";
import { ACTIVE, MachineConfig, SEED } from "#resources";
import {
  type Clock,
  CodedError,
  instantOf,
  type Metadata,
  pointerTo,
  type Random,
  type Resource,
  type SpecOf,
} from "#runtime";
import type { Store, Write } from "#runtime/store";
import { fileAccess } from "../cli/errors.ts";
import { demoConfig } from "./demo.ts";

/** A configuration that this node cannot take up. */
export class ConfigRefusedError extends CodedError {
  readonly code = "ERR_CONFIG_REFUSED";
}

type Spec = SpecOf<typeof MachineConfig>;

export interface Surroundings {
  readonly store: Store;
  readonly keys: KeyProvider;
  readonly clock: Clock;
  readonly random: Random;
}

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
 * Checks a new configuration.
 *
 * @returns warnings
 * @throws {ConfigInvalidError} naming every problem; {@link ConfigRefusedError} for a worker
 */
export async function accept(
  config: Config,
  { keys, clock }: Pick<Surroundings, "keys" | "clock">,
): Promise<string[]> {
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
 * @returns warnings for the operator, and whether this state directory is a demo's
 */
export async function settleConfiguration(
  files: readonly string[],
  options: Surroundings & { readonly overwrite: boolean; readonly demoAddress: string },
): Promise<{ readonly warnings: readonly string[]; readonly demo: boolean }> {
  const { store } = options;
  const warnings = files.length > 0 ? await takeUpFiles(files, options) : [];
  if (files.length === 0 && !(await holdsConfig(store)))
    await seed(await demoConfig(options), { [DEMO]: "" }, store);
  const seeded = await store.get(MachineConfig, SEED);
  return { warnings, demo: seeded !== undefined && DEMO in seeded.metadata.annotations };
}

async function takeUpFiles(
  files: readonly string[],
  options: Surroundings & { readonly overwrite: boolean },
): Promise<readonly string[]> {
  const { store } = options;
  if ((await holdsConfig(store)) && !options.overwrite) return warnOfDifference(files, store);
  const config = await readConfigFiles(files);
  const warnings = await accept(config, options);
  await seed(config.text, {}, store);
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

/** What differs from a stored configuration, which may be one that cannot be read any more. */
function differences(stored: string, config: Config): readonly string[] {
  try {
    return differingFields(loadMachineConfig(stored), config);
  } catch (error) {
    if (error instanceof CodedError) return ["all of it"];
    throw error;
  }
}

/** Stores what is in force and what it came from, both or none. */
async function seed(
  yaml: string,
  annotations: Readonly<Record<string, string>>,
  store: Store,
): Promise<void> {
  const active = await store.get(MachineConfig, ACTIVE);
  const seeded = await store.get(MachineConfig, SEED);
  await store.core.commit([
    writeOf(ACTIVE, active, { yaml }, active?.metadata.annotations ?? {}),
    writeOf(SEED, seeded, { yaml }, annotations),
  ]);
}

function writeOf(
  id: string,
  stored: Resource<Spec> | undefined,
  spec: Spec,
  annotations: Readonly<Record<string, string>>,
): Write {
  if (stored) {
    const metadata = { ...stored.metadata, annotations };
    return { op: "update", resource: { metadata, spec }, owner: metadata.owner };
  }
  const metadata: Metadata = {
    ...pointerTo(MachineConfig, id),
    version: 0,
    owner: "",
    phase: "running",
    created: instantOf(0), // the store knows better
    updated: instantOf(0),
    labels: {},
    annotations,
    finalizers: [],
  };
  return { op: "create", resource: { metadata, spec }, replacesDamaged: true };
}

/** An authority that is replaced and not kept among the accepted ones takes all its clients along. */
function warnOfLockout(stored: Resource<Spec> | undefined, config: Config): string[] {
  try {
    const before = stored && loadMachineConfig(stored.spec.yaml).osRoot().issuingCA;
    const { acceptedCAs } = config.osRoot();
    const kept = acceptedCAs.map(({ crt }) => readCertificate(crt).fingerprint);
    if (!before || kept.includes(readCertificate(before.crt).fingerprint)) return [];
    return [
      "machine.ca is another authority, and the one before is not in machine.acceptedCAs: every " +
        "client with a certificate of it is turned away from now on, the talosconfig of this command " +
        "too. The node writes a new one to <state-dir>/talosconfig when it starts again",
    ];
  } catch (error) {
    if (error instanceof CodedError) return []; // what was stored cannot be read any more
    throw error;
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
  const stored = await store.get(MachineConfig, ACTIVE);
  const warnings = [...(await accept(config, options)), ...warnOfLockout(stored, config)];
  const fields = stored ? differences(stored.spec.yaml, config) : ["all of it"];
  const details =
    fields.length === 0 ? "No changes." : `Changed without a reboot: ${fields.join(", ")}`;
  if (options.dryRun) return { warnings, details: `Dry run. ${details}` };
  if (stored) await store.modify(MachineConfig, ACTIVE, (draft) => void (draft.yaml = text));
  else await store.core.commit([writeOf(ACTIVE, undefined, { yaml: text }, {})]);
  return { warnings, details };
}
