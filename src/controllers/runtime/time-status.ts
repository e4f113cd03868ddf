/**
 * Says whether the clock can be trusted. `machine.time.disabled` counts as synced; otherwise whoever
 * keeps this machine's time is asked, again and again until it is. Once it was, it stays so: losing the
 * time server later does not keep certificates from being renewed. A step of the clock is told of, and
 * one of 15 minutes or more begins a new epoch. A configuration that cannot be read disables nothing.
 */
import { ACTIVE, MachineConfig, TimeStatus } from "#resources";
import {
  after,
  type Clock,
  defineController,
  exclusive,
  hours,
  type Instant,
  maybe,
  minutes,
  rfc3339,
  seconds,
} from "#runtime";
import { readStored } from "../stored-config.ts";

/** What a keeper of time says: `synced`, and who it is. */
export type AskTime = () => Promise<{ readonly synced: boolean; readonly source: string }>;

const WHILE_WAITING = seconds(5);
const ONCE_SYNCED = hours(1);
const EPOCH_STEP = minutes(15);

interface Options {
  readonly askTime: AskTime;
  /** The clock's. */
  readonly onStep: Clock["onStep"];
}

export const timeStatusController = ({ askTime, onStep }: Options) => {
  let wasSynced = false; // since this process began: a machine may boot with a wrong clock
  const steps = followSteps(onStep);
  return defineController({
    name: "runtime.TimeStatusController",
    inputs: { config: maybe(MachineConfig, ACTIVE, { damagedIsAbsent: true }) },
    outputs: { status: exclusive(TimeStatus) },

    async reconcile({ inputs, held, clock }) {
      const disabled = (inputs.config && readStored(inputs.config)?.timeDisabled) ?? false;
      const answer = disabled ? { synced: true, source: "disabled" } : await askTime();
      const now = clock.now();
      wasSynced ||= answer.synced && !disabled;
      const { source } = answer;
      const synced = disabled || wasSynced;
      const status = {
        synced,
        syncDisabled: disabled,
        source,
        ...steps.told(now, held.status.node),
      };
      return {
        outputs: { status: { node: status } },
        wakeAt: fixed(source) ? null : after(now, synced ? ONCE_SYNCED : WHILE_WAITING),
      };
    },
  });
};

/** Nobody to ask again. */
const fixed = (source: string): boolean => ["disabled", "none"].includes(source);

interface Told {
  readonly epoch: number;
  readonly lastStep?: { readonly at: string; readonly seconds: number };
}

/** Remembers the steps of a process, so that a status which could not be written is told again. */
function followSteps(onStep: Clock["onStep"]) {
  let epochs = 0;
  let first: number | undefined;
  let fresh = 0;
  let last: Told["lastStep"];
  onStep((by) => {
    fresh = by;
    if (Math.abs(by) >= EPOCH_STEP) epochs++;
  });
  return {
    told(now: Instant, held: { readonly epoch: number } | undefined): Told {
      if (fresh !== 0) last = { at: rfc3339(now), seconds: Math.round(fresh / 1000) };
      fresh = 0;
      first ??= held?.epoch ?? 0;
      return { epoch: first + epochs, ...(last && { lastStep: last }) };
    },
  };
}
