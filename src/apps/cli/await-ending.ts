/** Has a node end its run, and waits for what comes of that, by its events (talosctl-wire.md §2.8). */
import { after, CodedError, seconds, type Clock } from "#runtime";
import { status } from "@grpc/grpc-js";
import {
  CallFailedError,
  UnreachableError,
  type Client,
  type ClientEvent,
} from "../client/index.ts";
import { unlessStopped } from "../node/lifetime.ts";
import {
  MachineStatusEvent_MachineStage as Stage,
  TaskEvent_Action as TaskAction,
} from "../rpc/gen/machine/machine.ts";
import { formatElapsed } from "./output/elapsed.ts";
import { eventText } from "./output/event.ts";

/** What was waited for did not come; what was asked for may be under way all the same. */
export class WaitingError extends CodedError {
  readonly code = "ERR_WAITING";
}

/** How it is waited, and who hears of it. */
export interface Waiting {
  readonly clock: Clock;
  /** In milliseconds. */
  readonly timeout: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}

/** Asks a node, and gives the id that the events of it carry. */
export type Ask = () => Promise<string>;

/** Between two tries to reach a node that is down. */
const PAUSE = seconds(1);

/**
 * Asks for a reboot, and waits until the node runs again and is ready. The stream of events goes with
 * the run that ends; what a later one says of that run does not count.
 *
 * @throws {WaitingError}; what the calls throw
 */
export async function awaitReboot(
  client: Client,
  node: string,
  ask: Ask,
  waiting: Waiting,
): Promise<void> {
  const bootId = (signal: AbortSignal) => bootIdOf(client, node, signal);
  const before = await bootId(waiting.signal);
  const seen = new Set<string>();
  const tell = progress(waiting);
  let actorId: string | undefined;
  let isDown = false;
  let isCut = false;
  await bounded("the node is not ready again", waiting, async (signal) => {
    for (;;) {
      try {
        for await (const event of client.events({ tail: -1 }, { node, signal })) {
          if (event.type === "opened") {
            actorId ??= await ask();
            continue;
          }
          if (seen.has(event.id)) continue;
          isDown ||= event.actorId === actorId; // what was before is of no interest
          if (isDown) tell(event);
          if (!isCut) seen.add(event.id);
          else if (isReady(event) && (before === "" || before !== (await bootId(signal)))) return;
        }
      } catch (error) {
        if (actorId === undefined || !isPassing(error)) throw error;
      }
      isDown = isCut = true;
      await unlessStopped(signal, pause(waiting.clock));
    }
  });
}

/**
 * Asks for a shutdown, and waits until the services of the node have stopped. The last words of a node
 * may be lost with its connection: when nobody answers any longer, it is down as well.
 *
 * @throws {WaitingError}; what the calls throw
 */
export async function awaitShutdown(
  client: Client,
  node: string,
  ask: Ask,
  waiting: Waiting,
): Promise<void> {
  const tell = progress(waiting);
  let actorId: string | undefined;
  await bounded("the services of the node have not stopped", waiting, async (signal) => {
    for (let tail = 0; ; tail = -1) {
      let isOpen = false;
      try {
        for await (const event of client.events({ tail }, { node, signal })) {
          isOpen = true;
          if (event.type === "opened") actorId ??= await ask();
          else if (event.actorId === actorId) {
            tell(event);
            if (isServicesStopped(event)) return;
          }
        }
      } catch (error) {
        if (actorId === undefined || !isPassing(error)) throw error;
        if (!isOpen) return;
      }
      await unlessStopped(signal, pause(waiting.clock));
    }
  });
}

/** @throws {WaitingError} when the time is up, or somebody interrupts */
async function bounded(
  what: string,
  { clock, timeout, signal }: Waiting,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const late = new AbortController();
  const cancel = clock.alarm(after(clock.now(), timeout), () => late.abort());
  try {
    await work(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (late.signal.aborted) throw new WaitingError(`${what} after ${formatElapsed(timeout)}`);
    if (signal.aborted) throw new WaitingError(`${what}, and nobody waits for it any longer`);
    throw error;
  } finally {
    cancel();
  }
}

const pause = (clock: Clock): Promise<void> =>
  new Promise((resolve) => void clock.alarm(after(clock.now(), PAUSE), resolve));

/** Where Linux tells which boot this is. */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** What keeps somebody from reading which boot it is, and from nothing else. */
const UNREADABLE: ReadonlySet<status> = new Set([
  status.PERMISSION_DENIED,
  status.NOT_FOUND,
  status.UNIMPLEMENTED,
]);

/** Empty for one who may not read it. */
async function bootIdOf(client: Client, node: string, signal: AbortSignal): Promise<string> {
  try {
    const pieces: Uint8Array[] = [];
    for await (const piece of client.read(BOOT_ID, { node, signal })) pieces.push(piece);
    return Buffer.concat(pieces).toString().trim();
  } catch (error) {
    if (error instanceof CallFailedError && UNREADABLE.has(error.status)) return "";
    throw error;
  }
}

/** What a node on its way down answers, and one that is still down does not. */
const PASSING: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.INTERNAL,
  status.UNKNOWN,
]);

const isPassing = (error: unknown): boolean =>
  error instanceof UnreachableError ||
  (error instanceof CallFailedError && PASSING.has(error.status));

function isReady(event: ClientEvent): boolean {
  if (event.type !== "happened" || event.told?.name !== "MachineStatusEvent") return false;
  const { stage, status: ready } = event.told.message;
  return stage === Stage.RUNNING && ready?.ready === true;
}

function isServicesStopped(event: ClientEvent): boolean {
  if (event.type !== "happened" || event.told?.name !== "TaskEvent") return false;
  const { task, action } = event.told.message;
  return task === "stopAllServices" && action === TaskAction.STOP;
}

/** Tells where the machine stands, each time that this is something new. */
function progress({ tell }: Waiting): (event: ClientEvent) => void {
  let last = "";
  return (event) => {
    if (event.type !== "happened" || event.told?.name !== "MachineStatusEvent") return;
    const { source: stage, text } = eventText(event.told);
    const now = `${stage}, ${text}`;
    if (now !== last) tell(now);
    last = now;
  };
}
