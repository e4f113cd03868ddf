/** Configurations that are only tried: taken back in time, or at the next start of the node. */
import { loadMachineConfig } from "#config";
import { ACTIVE, MachineConfig, STAGED } from "#resources";
import { CodedError, type Logger, minutes, ringAfter, seconds } from "#runtime";
import type { Store } from "#runtime/store";
import {
  type Applied,
  applyConfiguration,
  type ApplyOptions,
  heldConfigurations,
} from "./apply-configuration.ts";
import { accept, type Surroundings } from "./acceptance.ts";
import { refuseCutOff } from "./cut-off.ts";
import { removalOf, writeOf } from "./stored-configuration.ts";

/** How long a configuration is tried where the caller does not say. */
const TRY_TIMEOUT = minutes(1);
/** After that long a store that did not take the configuration before is asked again. */
const RETRY = seconds(5);

/** Applies configurations, one after the other, and takes back what was only tried. */
export interface Configurations extends Disposable {
  apply(
    text: string,
    request: Pick<ApplyOptions, "dryRun" | "mode" | "tryTimeout">,
  ): Promise<Applied>;
}

/**
 * Opens them for a node that runs; what a node before left on trial was taken back at its start. Once
 * they are disposed of nothing is waited for, also by what is under way then.
 */
export function openConfigurations(
  options: Surroundings & { readonly log: Logger },
): Configurations {
  const { clock, log } = options;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  let timer: { readonly cancel: () => void } | undefined;
  let isDisposed = false;
  const wait = (duration: number) => {
    if (isDisposed) return; // the next start takes back what is on trial
    timer?.cancel();
    const mine = {
      cancel: ringAfter(clock, duration, () => {
        void inTurn(async () => {
          if (timer !== mine) return; // something was applied meanwhile
          await takeBackInTime();
        });
      }),
    };
    timer = mine;
  };
  const stop = () => {
    timer?.cancel();
    timer = undefined;
  };
  const takeBackInTime = async () => {
    try {
      stop();
      if (await takeBack(options.store))
        log.warn(
          {},
          "nobody confirmed the configuration on trial: the one before is in force again",
        );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ reason }, "the configuration on trial cannot be taken back, and is tried again");
      wait(RETRY);
    }
  };
  return {
    apply: (text, request) =>
      inTurn(async () => {
        const { dryRun, mode, tryTimeout = TRY_TIMEOUT } = request;
        const applied = await applyConfiguration(text, { ...options, ...request, tryTimeout });
        if (!dryRun && mode === "try") wait(tryTimeout);
        else if (!dryRun) stop();
        return applied;
      }),
    [Symbol.dispose]() {
      isDisposed = true;
      stop();
    },
  };
}

/** Puts the configuration before in force again. */
async function takeBack(store: Store): Promise<boolean> {
  const { active, rollback } = await heldConfigurations({ store });
  if (rollback === undefined) return false;
  await store.core.commit([writeOf(ACTIVE, active, rollback.spec.yaml), ...removalOf(rollback)]);
  return true;
}

/**
 * Does what a node before left for its next start: takes back what it tried, then takes up what is
 * staged.
 *
 * @returns what the operator has to know
 */
export async function takeUpPending(options: Surroundings): Promise<string[]> {
  const { store, clock } = options;
  const said = (await takeBack(store))
    ? [
        "the node ended before the configuration on trial was confirmed: the one before it is in " +
          "force again",
      ]
    : [];
  const staged = await store.get(MachineConfig, STAGED);
  if (staged === undefined) return said;
  const { yaml } = staged.spec;
  try {
    const config = loadMachineConfig(yaml, "the staged configuration");
    const warnings = await accept(config, options);
    refuseCutOff(config, clock.now());
    const active = await store.get(MachineConfig, ACTIVE);
    await store.core.commit([writeOf(ACTIVE, active, yaml), ...removalOf(staged)]);
    return [...said, ...warnings];
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [
      ...said,
      `the staged configuration is not taken up, and stays staged: ${error.message}`,
    ];
  }
}
