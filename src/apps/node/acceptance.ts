/** Whether this node can take up a configuration. */
import { checkMachineConfig, type MachineConfig as Config } from "#config";
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
