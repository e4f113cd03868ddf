/**
 * A controller of the `run` tier. A throw restarts it after a pause; a return ends it for good, and
 * its outputs stay. The engine counts as busy while it starts, until it asks for its inputs, and then
 * from the moment that they are delivered, or are to be, until the next are asked for. What it does
 * otherwise, and what it does without inputs, is not waited for.
 */
import type {
  Controller,
  DesiredOutputs,
  Input,
  Inputs,
  Outputs,
  RunContext,
} from "../controller.ts";
import { after } from "../instant.ts";
import type { Store } from "../store/state.ts";
import type { Write } from "../store/store.ts";
import type { Activity } from "./activity.ts";
import { retryDelay } from "../backoff.ts";
import { Changes } from "./changes.ts";
import { concernsOwner, isStatusOf, type Listener } from "./events.ts";
import { failureOf, untilCurrent } from "./failure.ts";
import { holdOf, releaseOf } from "./finalizers.ts";
import { controllerAccess } from "./access.ts";
import { concernsInput } from "./lane-listener.ts";
import { checkInputs, checkShape } from "./registration.ts";
import { heldInVain, readInputs, type InputsRead } from "./inputs.ts";
import type { ChangeEvent } from "./kind-watch.ts";
import { keyOf, kindsOf, unitOf, type Lane, type Reason, type Unit } from "./lane.ts";
import { planOutputs, readOwned, type Desired } from "./outputs.ts";
import type { RunOptions } from "./reconcile.ts";
import type { StatusBoard } from "./status.ts";

/** What a runner needs. */
export interface RunnerOptions extends RunOptions {
  readonly store: Store;
  readonly activity: Activity;
  readonly board: StatusBoard;
  /** Changes what a listener is told of; resolves when it has been told what there is. */
  readonly changeInputs: (listener: Listener, change: () => void) => Promise<void>;
}

/** Runs one controller. */
export class Runner implements Listener {
  readonly lane: Lane;
  readonly #unit: Unit;
  readonly #options: RunnerOptions;
  #changes: Changes | undefined;
  #published: Desired | undefined;
  #publishing: Promise<void> = Promise.resolve();
  #committing: Promise<void> = Promise.resolve();
  /** As of the last reading; then as of the last values that are not used any more. */
  #unused: InputsRead["unused"] = [];
  #finished: InputsRead["unused"] = [];
  /** Strong inputs that were replaced: all, those before the last reading, those not used any more. */
  #former: readonly Input<unknown>[] = [];
  #formerRead: readonly Input<unknown>[] = [];
  #formerFinished: readonly Input<unknown>[] = [];
  #isBusy = false;
  #leavePause: (isStopped: boolean) => void = () => undefined;
  /** Set while what could not be published again waits for its next try. */
  #retry: { readonly now: () => void; readonly cancel: () => void } | undefined;

  constructor(lane: Lane, options: RunnerOptions) {
    this.lane = lane;
    this.#unit = unitOf(this.lane, "");
    this.#options = options;
    const abandon = () => {
      this.#changes?.abandon();
      this.#leavePause(true);
      this.#retry?.cancel();
    };
    options.signal.addEventListener("abort", abandon, { once: true });
  }

  get controller(): Controller {
    return this.lane.controller;
  }

  get inputs(): Inputs {
    return this.lane.inputs;
  }

  onInput(_name: string, input: Input<unknown>, event: ChangeEvent): void {
    if (isStatusOf(this.controller, event) || !concernsInput(input, event)) return;
    this.#note(event.resource.metadata);
  }

  onOutput(_name: string, event: ChangeEvent, isBeginning: boolean): void {
    const { echoes } = this.#unit;
    const key = echoes && keyOf(event.resource.metadata);
    if (key !== undefined && echoes?.has(key)) {
      echoes.set(key, event); // after the commit it shows whether this was its own
      return;
    }
    const published = this.#published;
    if (published === undefined || isBeginning || !concernsOwner(event, isBeginning)) return;
    void this.#publishAgain(published);
  }

  async #publishAgain(published: Desired, tries = 1): Promise<void> {
    const { activity, log } = this.#options;
    this.#retry?.cancel();
    this.#retry = undefined;
    activity.begin();
    try {
      await this.#publish(published);
      await this.#release();
    } catch (error) {
      log.warn({ ...failureOf(error) }, "cannot publish again");
      this.#retryLater(published, tries);
    } finally {
      activity.end();
    }
  }

  /** Nothing else would say that the outputs are not as they were published. */
  #retryLater(published: Desired, tries: number): void {
    const { clock, random, signal } = this.#options;
    if (signal.aborted || this.#published !== published) return;
    const now = () => {
      if (this.#published === published) void this.#publishAgain(published, tries + 1);
    };
    this.#retry?.cancel();
    const cancel = clock.alarm(after(clock.now(), retryDelay(tries, random)), now);
    this.#retry = { now, cancel };
  }

  #note(reason: Reason): void {
    this.lane.tally.wakeups++;
    this.lane.lastReason = this.#unit.reason = reason;
    this.#changes?.note();
  }

  /** Runs now if it pauses. */
  endPause(): void {
    this.#leavePause(false);
    this.#retry?.now();
  }

  /** Resolves when it has ended for good. */
  async live(): Promise<void> {
    for (let isOver = false; !isOver;) {
      try {
        await this.#runOnce();
        isOver = true;
        this.#succeed();
        this.#options.log.info({}, "ended");
      } catch (error) {
        isOver = await this.#pause(error);
      } finally {
        this.#setBusy(false);
      }
    }
  }

  async #runOnce(): Promise<void> {
    const { clock, random, log, signal, store } = this.#options;
    const changes = new Changes({
      signal,
      read: () => untilCurrent(() => this.#read(), signal),
      finish: () => this.#finish(),
      setBusy: (isBusy) => {
        if (this.#changes === changes) this.#setBusy(isBusy);
      },
    });
    this.#changes = changes;
    const over = new AbortController();
    const whileItRuns = AbortSignal.any([signal, over.signal]);
    const context: RunContext<Inputs, Outputs> = {
      ...controllerAccess({ store, lane: this.lane, signal: whileItRuns }),
      clock,
      random,
      log,
      signal,
      changes: changes as AsyncIterable<never>,
      publish: async (outputs: DesiredOutputs<Outputs>) => this.#publish(outputs),
      updateInputs: async (inputs) => this.#updateInputs(inputs),
    };
    const { run } = this.controller;
    if (Object.keys(this.lane.inputs).length > 0) this.#setBusy(true); // until it asks for them
    try {
      await run?.(context);
    } finally {
      this.#changes = undefined;
      over.abort();
    }
  }

  async #updateInputs(inputs: Inputs): Promise<void> {
    const { controller } = this;
    checkShape({ ...controller, inputs });
    checkInputs({ ...controller, inputs });
    const former = Object.values(this.lane.inputs).filter(({ strong }) => strong);
    await this.#options.changeInputs(this, () => {
      this.#former = [...this.#former, ...former];
      this.lane.inputs = inputs;
      this.lane.inputList = Object.entries(inputs);
      this.lane.kinds = kindsOf(controller, inputs);
    });
    this.#changes?.renew();
  }

  /** Puts finalizers on strong inputs before they are used. */
  async #read(): Promise<InputsRead> {
    const { core, board } = this.#options;
    for (;;) {
      this.lane.tally.reads++;
      const inputs = await core.snapshot(this.lane.kinds, (view) => readInputs(this.#unit, view));
      this.#unused = inputs.unused;
      this.#formerRead = this.#former;
      this.#unit.waitingFor = inputs.waitingFor;
      if (inputs.waitingFor === "") this.lane.waiting.delete(this.#unit);
      else this.lane.waiting.add(this.#unit);
      board.mark(this.lane);
      if (inputs.state !== "complete" || inputs.unheld.length === 0) return inputs;
      const holds = inputs.unheld.map((resource) => holdOf(resource, this.controller.name));
      await this.#commit(holds);
    }
  }

  /** The values that were delivered last are not used any more: that went well. */
  async #finish(): Promise<void> {
    this.#succeed();
    this.#finished = this.#unused;
    this.#formerFinished = this.#formerRead;
    await this.#release();
  }

  #succeed(): void {
    this.#unit.attempt = 0;
    this.lane.failing.delete(this.#unit);
    this.#options.board.mark(this.lane);
  }

  /** Takes finalizers off inputs that were used for the last time, once torn down outputs are gone. */
  async #release(): Promise<void> {
    const { signal, core } = this.#options;
    const finished = new Set(this.#finished.map(({ metadata }) => keyOf(metadata)));
    const former = this.#formerFinished;
    if (finished.size + former.length === 0 || signal.aborted) return;
    const kinds = former.map(({ namespace, kind: { type } }) => ({ namespace, type }));
    await untilCurrent(async () => {
      const { unused, left, owned } = await core.snapshot(
        [...this.lane.kinds, ...kinds],
        (view) => ({
          unused: readInputs(this.#unit, view).unused,
          left: heldInVain(former, this.lane, view),
          owned: [...readOwned(this.#unit, view).values()].flatMap((own) => [...own.values()]),
        }),
      );
      if (owned.some(({ metadata }) => metadata.phase === "tearingDown")) return;
      const free = unused.filter(({ metadata }) => finished.has(keyOf(metadata)));
      const writes = [...free, ...left].map((found) => releaseOf(found, this.controller.name));
      if (writes.length > 0) await this.#commit(writes);
      this.#former = this.#former.filter((input) => !former.includes(input));
      this.#formerFinished = [];
    }, signal);
  }

  /** One after the other, for each knows its own echoes. */
  #commit(writes: readonly Write[]): Promise<void> {
    const unit = this.#unit;
    const commit = this.#committing.then(() => this.#options.committer.commit([{ unit, writes }]));
    this.#committing = commit.catch(() => undefined);
    return commit;
  }

  /** Writes outputs, one publication after the other. */
  async #publish(desired: Desired): Promise<void> {
    const { core, clock, signal, activity } = this.#options;
    const unit = this.#unit;
    signal.throwIfAborted();
    this.#published = desired;
    activity.begin();
    const publication = this.#publishing.then(() =>
      untilCurrent(async () => {
        do {
          unit.isStale = false;
          const owned = await core.snapshot(this.lane.kinds, (view) => readOwned(unit, view));
          signal.throwIfAborted();
          const { writes } = planOutputs(unit, owned, desired, clock.now());
          if (writes.length > 0) await this.#commit(writes);
        } while (isStale(unit));
      }, signal),
    );
    this.#publishing = publication.catch(() => undefined);
    try {
      await publication;
    } finally {
      activity.end();
    }
  }

  /** @returns whether the engine was stopped meanwhile */
  async #pause(error: unknown): Promise<boolean> {
    const { clock, random, log, board, signal } = this.#options;
    if (signal.aborted) return true;
    const unit = this.#unit;
    unit.attempt++;
    this.lane.tally.crashes++;
    unit.failure = failureOf(error);
    const retryAt = after(clock.now(), retryDelay(unit.attempt, random));
    unit.retryAt = retryAt;
    this.lane.failing.add(unit);
    board.mark(this.lane);
    log.warn({ ...unit.failure, attempt: unit.attempt }, "failed");
    this.#setBusy(false);
    return new Promise((resolve) => {
      const leave = (isStopped: boolean) => {
        cancel();
        this.#leavePause = () => undefined;
        if (!isStopped) this.#setBusy(true); // from here to the next run there is no pause
        resolve(isStopped);
      };
      const cancel = clock.alarm(retryAt, () => leave(false));
      this.#leavePause = leave;
    });
  }

  #setBusy(isBusy: boolean): void {
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    if (isBusy) this.#options.activity.begin();
    else this.#options.activity.end();
  }
}

/** Whether somebody else changed what was committed, while it was. */
const isStale = (unit: Unit): boolean => unit.isStale;
