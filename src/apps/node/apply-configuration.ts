/** Takes up a configuration while the node runs, in each of the modes (talosctl-wire.md §2.4). */
import { configurationDiff, loadMachineConfig } from "#config";
import { ACTIVE, MachineConfig, ROLLBACK, STAGED } from "#resources";
import { after, rfc3339 } from "#runtime";
import type { Write } from "#runtime/store";
import type { ApplyMode } from "../apid/index.ts";
import { accept, ConfigRefusedError, refuseOtherType, type Surroundings } from "./acceptance.ts";
import { refuseCutOff, warnOfLockout } from "./cut-off.ts";
import { differences, removalOf, type StoredConfig, writeOf } from "./stored-configuration.ts";

/** Says until when a configuration is tried, for people and for the next start. */
export const ROLLBACK_AT = "trustplane.dev/rollback-at";

/** How a configuration is applied. */
export interface ApplyOptions extends Surroundings {
  readonly dryRun: boolean;
  /** Default `no-reboot`. */
  readonly mode?: ApplyMode;
  /** How long it is tried in the mode `try`, ms. */
  readonly tryTimeout?: number;
}

/** What is said about a configuration that was applied. */
export interface Applied {
  readonly warnings: string[];
  /** What differs, and in a dry run how. */
  readonly details: string;
}

/**
 * Takes up a configuration while running.
 *
 * @throws {ConfigParseError} {@link ConfigInvalidError} {@link ConfigRefusedError}: nothing has changed
 */
export async function applyConfiguration(text: string, options: ApplyOptions): Promise<Applied> {
  const { store, clock, dryRun, mode = "no-reboot" } = options;
  const config = loadMachineConfig(text, "the configuration");
  const held = await heldConfigurations(options);
  const { active } = held;
  const accepted = await accept(config, options);
  refuseOtherType(active?.spec.yaml, config);
  refuseCutOff(config, clock.now());
  if (mode === "try" && (active ?? held.rollback) === undefined)
    throw new ConfigRefusedError(
      "no configuration can be read that could come back after a trial: apply this one for good",
    );
  const warnings = [...accepted, ...warnOfLockout(active, config)];
  const fields = active ? differences(active.spec.yaml, config) : ["all of it"];
  const details = detailsOf(mode, fields, held, options);
  if (dryRun) {
    const diff = configurationDiff(active?.spec.yaml ?? "", text);
    return { warnings, details: `Dry run. ${details}${diff === "" ? "" : `\n${diff}`}` };
  }
  const writes = writesOf[mode](text, held, options);
  if (writes.length > 0) await store.core.commit(writes);
  return { warnings, details };
}

/** What the store has of each; undefined where nothing is, or nothing that can be read. */
export interface Held {
  readonly active: StoredConfig | undefined;
  readonly staged: StoredConfig | undefined;
  readonly rollback: StoredConfig | undefined;
}

/** Reads what is held. */
export async function heldConfigurations({ store }: Pick<Surroundings, "store">): Promise<Held> {
  return {
    active: await store.get(MachineConfig, ACTIVE),
    staged: await store.get(MachineConfig, STAGED),
    rollback: await store.get(MachineConfig, ROLLBACK),
  };
}

type Writes = (text: string, held: Held, options: ApplyOptions) => readonly Write[];

/** All of a mode's changes are one commit: no text is lost between two of them. */
const writesOf: Readonly<Record<ApplyMode, Writes>> = {
  "no-reboot": (text, { active, staged, rollback }) => [
    ...replacing(active, text),
    ...removalOf(staged),
    ...removalOf(rollback),
  ],
  staged: (text, { staged, rollback }) => [
    writeOf(STAGED, staged, text, {}),
    ...removalOf(rollback),
  ],
  // What comes back is what was confirmed last, however many are tried after it.
  try: (text, { active, rollback }, options) => [
    ...replacing(active, text),
    writeOf(ROLLBACK, rollback, (rollback ?? active)?.spec.yaml ?? text, {
      [ROLLBACK_AT]: rfc3339(after(options.clock.now(), options.tryTimeout ?? 0)),
    }),
  ],
};

/** The same text is no change, which nobody has to hear of. */
const replacing = (active: StoredConfig | undefined, text: string): readonly Write[] =>
  active?.spec.yaml === text ? [] : [writeOf(ACTIVE, active, text)];

function detailsOf(
  mode: ApplyMode,
  fields: readonly string[],
  { staged, rollback }: Held,
  { tryTimeout = 0 }: ApplyOptions,
): string {
  const change = fields.length === 0 ? "No changes." : fields.join(", ");
  const changed = fields.length === 0 ? change : `Changed without a reboot: ${change}`;
  const confirmed = rollback && mode !== "try" ? ["The trial that was under way is over."] : [];
  if (mode === "staged")
    return ["Staged, to be in force from the next start of the node: " + change, ...confirmed].join(
      "\n",
    );
  if (mode === "try")
    return [
      changed,
      `On trial: it is taken back after ${tryTimeout / 1000} s, unless a configuration is applied ` +
        "in another mode before.",
    ].join("\n");
  const unstaged = staged ? ["The configuration that was staged is dropped."] : [];
  return [changed, ...unstaged, ...confirmed].join("\n");
}
