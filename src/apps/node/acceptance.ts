/** Whether this node can take up a configuration. */
import { checkMachineConfig, loadMachineConfig, type MachineConfig as Config } from "#config";
import type { KeyProvider, PolicyInForce } from "#pki";
import { type Clock, CodedError, type Random } from "#runtime";
import type { Store } from "#runtime/store";

/** A configuration that this node cannot take up. */
export class ConfigRefusedError extends CodedError {
  readonly code = "ERR_CONFIG_REFUSED";
}

/** What the code of a node needs to work on its store. */
export interface Surroundings {
  readonly store: Store;
  readonly keys: KeyProvider;
  readonly clock: Clock;
  readonly random: Random;
  /** By default the default policy is in force. */
  readonly policy?: PolicyInForce;
}

/**
 * Checks a new configuration.
 *
 * @returns warnings
 * @throws {ConfigInvalidError} naming every problem
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
  return warnings;
}

/**
 * A node is what it was made: what the one type keeps is nothing that the other could go on with.
 *
 * @param active what is in force; undefined where nothing is, or nothing that can be read
 * @throws {ConfigRefusedError} when the new configuration is for the other type of machine
 */
export function refuseOtherType(active: string | undefined, { type }: Config): void {
  const before = active === undefined ? undefined : typeIn(active);
  if (before === undefined || before === type) return;
  throw new ConfigRefusedError(
    `this node is a ${before}, and the configuration makes it a ${type}: reset it (trustplane reset), ` +
      "or start another one with a --state-dir of its own",
  );
}

function typeIn(yaml: string): Config["type"] | undefined {
  try {
    return loadMachineConfig(yaml).type;
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
