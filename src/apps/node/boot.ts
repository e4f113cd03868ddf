/** What a node knows of one run of it; all of that is new after a reboot. */
import type { Clock, Instant, Random } from "#runtime";
import { openEndings, type Endings } from "./ending.ts";
import { openEventLog, type EventLog } from "./event-log.ts";
import { openLogBook, type LogBook } from "./log-book.ts";
import { openMachineStatus, type MachineStatus } from "./machine-status.ts";
import { openServiceBoard, type ServiceBoard } from "./service-board.ts";
import { beginSequence, type Sequence } from "./sequence.ts";
import { uuid } from "./uuid.ts";

/** One run of a node, from its start until it is shut down or rebooted. */
export interface Boot {
  /** A UUID, as Linux has it in `/proc/sys/kernel/random/boot_id`; another one after each reboot. */
  readonly bootId: string;
  readonly startedAt: Instant;
  readonly events: EventLog;
  readonly logs: LogBook;
  readonly services: ServiceBoard;
  readonly machine: MachineStatus;
  /** The start itself, as it is told. */
  readonly sequence: Sequence;
  readonly endings: Endings;
}

/** Begins a run. */
export function newBoot(world: { readonly clock: Clock; readonly random: Random }): Boot {
  const events = openEventLog(world);
  const sequence = beginSequence(events, "boot");
  const services = openServiceBoard({ ...world, events });
  return {
    bootId: uuid(world.random),
    startedAt: world.clock.now(),
    events,
    sequence,
    services,
    machine: openMachineStatus(events, services),
    logs: openLogBook(),
    endings: openEndings(world),
  };
}
