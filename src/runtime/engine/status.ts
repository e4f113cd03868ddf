/** Says as resources how controllers are doing. */
import { formatPointer } from "../errors.ts";
import { retryDelay } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { after, rfc3339 } from "../instant.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { DeepReadonly, SpecOf } from "../resource.ts";
import { equalJson } from "../store/json-value.ts";
import type { Store } from "../store/state.ts";
import type { Activity } from "./activity.ts";
import { ControllerStatus } from "./controller-status.ts";
import type { Lane } from "./lane.ts";

/** The owner of what the engine itself writes. */
export const ENGINE = "runtime.Engine";

type Status = DeepReadonly<SpecOf<typeof ControllerStatus>>;

function statusOf({ failing, waiting, lastReason }: Lane): Status {
  const [failed] = failing;
  const [first] = waiting;
  const reason = failed?.reason ?? first?.reason ?? lastReason;
  const why = typeof reason === "string" ? reason : formatPointer(reason);
  if (failed)
    return {
      state: "failing",
      waitingFor: "",
      error: failed.failure,
      attempt: failed.attempt,
      nextTry: failed.retryAt === null ? "" : rfc3339(failed.retryAt),
      lastReason: why,
    };
  return {
    state: first ? "waiting" : "ready",
    waitingFor: first?.waitingFor ?? "",
    error: null,
    attempt: 0,
    nextTry: "",
    lastReason: why,
  };
}

/** Why it ran is no news by itself: that would be a write for each reconcile. */
const isSame = (written: Status | undefined, status: Status): boolean =>
  written !== undefined && equalJson(written, { ...status, lastReason: written.lastReason });

/** What a board needs. */
export interface StatusBoardOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly activity: Activity;
}

/** Where statuses are published; what cannot be written is tried again. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #changed = new Set<Lane>();
  /** What was written last, or is being written. */
  readonly #written = new Map<Lane, Status>();
  #writing: Promise<void> | undefined;
  readonly #failed = new Set<Lane>();
  /** Writes that failed in a row. */
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  #closed = false;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
  }

  /** The status may have changed; only what did is written. */
  mark(lane: Lane): void {
    if (this.#closed || isSame(this.#written.get(lane), statusOf(lane))) return;
    this.#changed.add(lane);
    this.#writing ??= this.#writeAll();
  }

  /** Tries again now what could not be written. */
  endPause(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    const failed = [...this.#failed];
    this.#failed.clear();
    for (const lane of failed) this.mark(lane);
  }

  /** Resolves when the write that is going on has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    const { activity } = this.#options;
    activity.begin();
    for (const lane of this.#changed) {
      if (this.#closed) break;
      this.#changed.delete(lane);
      await this.#write(lane);
    }
    this.#writing = undefined;
    activity.end();
  }

  async #write(lane: Lane): Promise<void> {
    const { name } = lane.controller;
    const status = statusOf(lane);
    this.#written.set(lane, status);
    const spec = status as SpecOf<typeof ControllerStatus>;
    const options = { owner: ENGINE, initial: status };
    try {
      await this.#options.store.modify(ControllerStatus, name, () => spec, options);
      this.#failures = 0;
    } catch (cause) {
      this.#written.delete(lane);
      this.#options.log.warn({ controller: name, cause: String(cause) }, "cannot write a status");
      this.#retryLater(lane);
    }
  }

  #retryLater(lane: Lane): void {
    const { clock, random } = this.#options;
    this.#failed.add(lane);
    if (this.#closed || this.#cancelRetry !== undefined) return;
    const retryAt = after(clock.now(), retryDelay(++this.#failures, random));
    this.#cancelRetry = clock.alarm(retryAt, () => this.endPause());
  }
}
