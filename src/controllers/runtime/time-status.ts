/**
 * Says whether the clock can be trusted. `machine.time.disabled` counts as synced; otherwise whoever
 * keeps this machine's time is asked, again and again until it is. Once it was, it stays so: losing the
 * time server later does not keep certificates from being renewed. The epoch goes up when the clock was
 * set back by 15 minutes or more between two looks. A configuration that cannot be read disables nothing.
 */
import { ACTIVE, MachineConfig, TimeStatus } from "#resources";
import {
  after,
  defineController,
  exclusive,
  hours,
  type Instant,
  maybe,
  minutes,
  seconds,
} from "#runtime";
import { readStored } from "../stored-config.ts";

/** What a keeper of time says: `synced`, and who it is. */
export type AskTime = () => Promise<{ readonly synced: boolean; readonly source: string }>;

const WHILE_WAITING = seconds(5);
const ONCE_SYNCED = hours(1);
const STEP = minutes(15);

export const timeStatusController = ({ askTime }: { askTime: AskTime }) => {
  let wasSynced = false; // since this process began: a machine may boot with a wrong clock
  let lastLook: Instant | null = null;
  return defineController({
    name: "runtime.TimeStatusController",
    inputs: { config: maybe(MachineConfig, ACTIVE, { damagedIsAbsent: true }) },
    outputs: { status: exclusive(TimeStatus) },

    async reconcile({ inputs, held, clock }) {
      const disabled = (inputs.config && readStored(inputs.config)?.timeDisabled) ?? false;
      const answer = disabled ? { synced: true, source: "disabled" } : await askTime();
      const now = clock.now();
      const setBack = lastLook !== null && now < lastLook - STEP;
      lastLook = now;
      wasSynced ||= answer.synced && !disabled;
      const { source } = answer;
      const synced = disabled || wasSynced;
      const epoch = (held.status.node?.epoch ?? 0) + (setBack ? 1 : 0);
      return {
        outputs: { status: { node: { synced, epoch, syncDisabled: disabled, source } } },
        wakeAt: fixed(source) ? null : after(now, synced ? ONCE_SYNCED : WHILE_WAITING),
      };
    },
  });
};

/** Nobody to ask again. */
const fixed = (source: string): boolean => ["disabled", "none"].includes(source);
