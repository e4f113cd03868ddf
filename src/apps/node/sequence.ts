/** Tells in events what the node is about, as Talos does: a sequence of phases, a phase of tasks. */
import {
  PhaseEvent_Action as PhaseAction,
  SequenceEvent_Action as SequenceAction,
  TaskEvent_Action as TaskAction,
} from "../rpc/gen/machine/machine.ts";
import type { EventLog } from "./event-log.ts";

/** A sequence under way. */
export interface Sequence {
  /** Runs a task, which is told of before and after. */
  task<T>(phase: string, task: string, work: () => Promise<T>): Promise<T>;
  end(): void;
}

/**
 * Begins a sequence.
 *
 * @param actorId whose call it came of
 */
export function beginSequence(events: EventLog, sequence: string, actorId = ""): Sequence {
  const tell = (action: SequenceAction) =>
    events.publish("SequenceEvent", { sequence, action, error: undefined }, actorId);
  tell(SequenceAction.START);
  return {
    async task(phase, task, work) {
      events.publish("PhaseEvent", { phase, action: PhaseAction.START }, actorId);
      events.publish("TaskEvent", { task, action: TaskAction.START }, actorId);
      const result = await work();
      events.publish("TaskEvent", { task, action: TaskAction.STOP }, actorId);
      events.publish("PhaseEvent", { phase, action: PhaseAction.STOP }, actorId);
      return result;
    },
    end: () => tell(SequenceAction.STOP),
  };
}
