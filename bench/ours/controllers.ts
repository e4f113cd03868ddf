/** A controller that makes a copy of every note; bench/go/controllers.go does the same. */
import { defineController, each, exclusive, strong, systemClock, systemRandom } from "#runtime";
import { createEngine } from "#runtime/engine";
import { openMemoryStore, type EventType, type Store } from "#runtime/store";
import type { Task } from "../size.ts";
import { Copy, Note, noteId, noteSpec, noteSpecs, type NoteSpec } from "./note.ts";
import { scattered, touch } from "./operations.ts";
import { perSecond, timed, type Timed } from "./timed.ts";

/** As many as on Go's side. */
const CONCURRENCY = 2;
/** Notes are made in batches where the controller shall keep up. */
const FILL_BATCH = 500;

const copyController = () =>
  defineController({
    name: "bench.CopyController",
    inputs: { note: strong(each(Note)) },
    outputs: { copy: exclusive(Copy) },
    concurrency: CONCURRENCY,
    reconcile({ inputs, item }) {
      const { subject, names, body, revision } = inputs.note.spec;
      return { outputs: { copy: { [item]: { subject, names: [...names], body, revision } } } };
    },
  });

/** A store with a watch of what the controller makes, and the engine that runs it. */
class Running implements AsyncDisposable {
  readonly store: Store = openMemoryStore();
  readonly #engine = createEngine({
    store: this.store,
    clock: systemClock,
    random: systemRandom,
    controllers: [copyController()],
  });
  readonly #seen: Partial<Record<EventType, number>> = {};
  #wanted: { type: EventType; count: number; reached: () => void } | undefined;

  constructor() {
    this.store.core.watchKind(Copy).subscribe((events) => {
      for (const { type } of events) this.#seen[type] = (this.#seen[type] ?? 0) + 1;
      this.#look();
    });
  }

  run = () => this.#engine.start();

  /** Returns once the controller is known to run: its first copy is there. */
  async runEmpty(): Promise<void> {
    await this.run();
    const made = this.more("created", 1);
    await this.store.create(Note, "first", noteSpec(0));
    await made;
  }

  /** Resolves when so many more copies were created or updated. */
  more(type: EventType, count: number): Promise<void> {
    return new Promise((reached) => {
      this.#wanted = { type, count: (this.#seen[type] ?? 0) + count, reached };
    });
  }

  #look(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || (this.#seen[wanted.type] ?? 0) < wanted.count) return;
    this.#wanted = undefined;
    wanted.reached();
  }

  async createAll(specs: readonly NoteSpec[]): Promise<void> {
    for (const [i, spec] of specs.entries()) await this.store.create(Note, noteId(i), spec);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.stop();
    await this.store.close();
  }
}

/** Runs a burst to warm up, and another one to measure. */
async function twice(
  { warmup = 0, count }: Task,
  burstOf: (running: Running, specs: readonly NoteSpec[]) => Promise<Timed>,
): Promise<number> {
  for (const size of [warmup, count]) {
    await using running = new Running();
    const result = await burstOf(running, noteSpecs(size));
    if (size === count) return perSecond(result);
  }
  return NaN;
}

/** Creates notes one after another while the controller runs, and ends when all have a copy. */
export const burst = (task: Task) =>
  twice(task, async (running, specs) => {
    await running.runEmpty();
    return timed(specs.length, async () => {
      const made = running.more("created", specs.length);
      await running.createAll(specs);
      await made;
    });
  });

/** Starts the controller on notes that are there, and ends when all have a copy. */
export const burstAtStart = (task: Task) =>
  twice(task, async (running, specs) => {
    await running.createAll(specs);
    return timed(specs.length, async () => {
      const made = running.more("created", specs.length);
      await running.run();
      await made;
    });
  });

/** Changes one note after another and waits each time for its copy. */
export async function singleUpdate({ warmup = 0, count, items = 1 }: Task): Promise<number> {
  await using running = new Running();
  await running.runEmpty();
  for (let first = 0; first < items; first += FILL_BATCH) {
    const end = Math.min(first + FILL_BATCH, items);
    const made = running.more("created", end - first);
    for (let i = first; i < end; i++) await running.store.create(Note, noteId(i), noteSpec(i));
    await made;
  }
  const change = async (index: number) => {
    const made = running.more("updated", 1);
    await touch(running.store, Note.namespace, scattered(index, items));
    await made;
  };
  for (let i = 0; i < warmup; i++) await change(i);
  const result = await timed(count, async () => {
    for (let i = warmup; i < warmup + count; i++) await change(i);
  });
  return perSecond(result);
}
