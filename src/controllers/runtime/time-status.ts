/**
 * Says whether the clock can be trusted. `machine.time.disabled` counts as synced; otherwise whoever
 * keeps this machine's time is asked, again and again until it is.
 */
import { loadMachineConfig } from "#config";
import { ACTIVE, MachineConfig, TimeStatus } from "#resources";
import { after, defineController, exclusive, maybe, minutes, seconds } from "#runtime";

/** What a keeper of time says: `synced`, and who it is. */
export type AskTime = () => Promise<{ readonly synced: boolean; readonly source: string }>;

const WHILE_WAITING = seconds(5);
const ONCE_SYNCED = minutes(10);

export const timeStatusController = ({ askTime }: { askTime: AskTime }) =>
  defineController({
    name: "runtime.TimeStatusController",
    inputs: { config: maybe(MachineConfig, ACTIVE) },
    outputs: { status: exclusive(TimeStatus) },

    async reconcile({ inputs, held, clock }) {
      const disabled =
        inputs.config !== null && loadMachineConfig(inputs.config.spec.yaml).timeDisabled;
      const { synced, source } = disabled ? { synced: true, source: "disabled" } : await askTime();
      const epoch = held.status.node?.epoch ?? 0;
      return {
        outputs: { status: { node: { synced, epoch, syncDisabled: disabled, source } } },
        wakeAt: fixed(source) ? null : after(clock.now(), synced ? ONCE_SYNCED : WHILE_WAITING),
      };
    },
  });

/** Nobody to ask again. */
const fixed = (source: string): boolean => ["disabled", "none"].includes(source);
