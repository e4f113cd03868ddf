/** How a run of the node ends: by a signal, or because somebody asked for it. */
import { after, seconds, type Clock, type Random } from "#runtime";
import { EndingInProgressError, type EndingName, type EndRun } from "../apid/index.ts";
import type { Boot } from "./boot.ts";
import type { ServiceId } from "./log-book.ts";
import { untilStopped } from "./lifetime.ts";
import type { StageName } from "./machine-status.ts";
import { beginSequence } from "./sequence.ts";
import { uuid } from "./uuid.ts";

/** How long those who listen to events have to hear of the end. */
const LAST_WORDS = seconds(1);

/** What ends a run, and who asked for it; nobody did when it was a signal. */
export interface Ending {
  readonly name: EndingName;
  readonly actorId: string;
  /** Whether the node is there again after a reset. */
  readonly beginsAnew?: boolean;
}

/** An end that something has to be done before; meanwhile there is no other. */
export interface Announced {
  /** Comes back at once, as {@link Endings.end}. */
  go(how?: Pick<Ending, "beginsAnew">): string;
  /** The run goes on. */
  callOff(): void;
}

/** Ends a run once. */
export interface Endings {
  /** Comes back at once: the caller hears the answer, and then it ends. */
  readonly end: EndRun;
  /** @throws {EndingInProgressError} */
  readonly announce: (name: EndingName) => Announced;
  /** Resolves when the run is to end. */
  readonly asked: Promise<Ending>;
}

/** Makes the one way for a run to end from outside. */
export function openEndings({
  clock,
  random,
}: {
  readonly clock: Clock;
  readonly random: Random;
}): Endings {
  const { promise: asked, resolve } = Promise.withResolvers<Ending>();
  let ending: EndingName | undefined;
  const announce = (name: EndingName): Announced => {
    if (ending !== undefined) throw new EndingInProgressError(ending);
    ending = name;
    return {
      go(how = {}) {
        const begun = { name, actorId: uuid(random), ...how };
        clock.alarm(clock.now(), () => resolve(begun));
        return begun.actorId;
      },
      callOff: () => (ending = undefined),
    };
  };
  return { asked, announce, end: (name) => announce(name).go() };
}

/** Waits for the end of a run, by whatever comes first. */
export const endOf = ({ asked }: Endings, signal: AbortSignal): Promise<Ending> =>
  Promise.race([
    asked,
    untilStopped(signal).then((): Ending => ({ name: "shutdown", actorId: "" })),
  ]);

const stages = {
  reboot: "REBOOTING",
  shutdown: "SHUTTING_DOWN",
  reset: "RESETTING",
} as const satisfies Record<EndingName, StageName>;

/** Tells everybody that the node is going down, while they can still hear it. */
export async function announceEnd(
  { name, actorId }: Ending,
  { events, machine, services }: Boot,
  clock: Clock,
): Promise<void> {
  machine.enter(stages[name], actorId);
  const sequence = beginSequence(events, name, actorId);
  await sequence.task("stopServices", "stopAllServices", async () => {
    const running = services.list().filter(({ state }) => state === "Running");
    for (const { id } of running)
      services.set(id as ServiceId, "Stopping", `Stopping for the ${name}`);
  });
  sequence.end();
  let cancel: (() => void) | undefined;
  const late = new Promise<void>((resolve) => {
    cancel = clock.alarm(after(clock.now(), LAST_WORDS), resolve);
  });
  await Promise.race([late, events.ring.caughtUp()]);
  cancel?.();
}
