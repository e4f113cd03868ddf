/** Says as resources how controllers are doing. */
import { isDeepStrictEqual } from "node:util";
import { formatPointer } from "../errors.ts";
import { rfc3339 } from "../instant.ts";
import type { Logger } from "../logger.ts";
import type { DeepReadonly, SpecOf } from "../resource.ts";
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
  written !== undefined &&
  isDeepStrictEqual(written, { ...status, lastReason: written.lastReason });

/** Where statuses are published. */
export class StatusBoard {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #activity: Activity;
  readonly #changed = new Set<Lane>();
  /** What was written last, or is being written. */
  readonly #written = new Map<Lane, Status>();
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: { store: Store; log: Logger; activity: Activity }) {
    this.#store = options.store;
    this.#log = options.log;
    this.#activity = options.activity;
  }

  /** The status may have changed; only what did is written. */
  mark(lane: Lane): void {
    if (this.#closed || isSame(this.#written.get(lane), statusOf(lane))) return;
    this.#changed.add(lane);
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when the write that is going on has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    this.#activity.begin();
    for (const lane of this.#changed) {
      if (this.#closed) break;
      this.#changed.delete(lane);
      await this.#write(lane);
    }
    this.#writing = undefined;
    this.#activity.end();
  }

  async #write(lane: Lane): Promise<void> {
    const { name } = lane.controller;
    const status = statusOf(lane);
    this.#written.set(lane, status);
    const spec = status as SpecOf<typeof ControllerStatus>;
    const options = { owner: ENGINE, initial: status };
    try {
      await this.#store.modify(ControllerStatus, name, () => spec, options);
    } catch (cause) {
      this.#written.delete(lane);
      this.#log.warn({ controller: name, cause: String(cause) }, "cannot write a status");
    }
  }
}
