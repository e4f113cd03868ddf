/** A burst of creates that no raw watch keeps up with: the engine goes on, and makes every output. */
import assert from "node:assert/strict";
import { Observable } from "rxjs";
import {
  defineController,
  defineResource,
  each,
  exclusive,
  systemClock,
  systemRandom,
  WatchOverrunError,
} from "#runtime";
import { createEngine } from "#runtime/engine";
import {
  openMemoryStore,
  resume,
  storeOver,
  type CoreStore,
  type Store,
  type WatchEvent,
} from "#runtime/store";
import { z } from "zod";
import type { LongCase } from "./case.ts";

const kind = (type: string) =>
  defineResource({
    type: `${type}.burst.trustplane.dev`,
    namespace: "burst",
    spec: z.object({ value: z.number() }),
  });
const Input = kind("Inputs");
const Output = kind("Outputs");

/** So many events a watch keeps for who is slow; then it errs. */
const BACKLOG_MAX = 5_000;
/** For everything that 1,000,000 inputs and as many outputs take, in the store and in the engine. */
const HEAP_BYTES_MAX = 3 * 2 ** 30;
/** What takes longer has lost something. */
const PATIENCE_MS = 120_000;

const doubling = defineController({
  name: "burst.DoublingController",
  inputs: { input: each(Input) },
  outputs: { output: exclusive(Output) },
  reconcile: ({ inputs, item }) => ({
    outputs: { output: { [item]: { value: 2 * inputs.input.spec.value } } },
  }),
});

export const burst: LongCase = {
  name: "burst",
  async run({ ci }) {
    const count = ci ? 100_000 : 1_000_000;
    const plain = await through(openMemoryStore(), count);
    const inner = openMemoryStore();
    let overruns = 0;
    const slow = storeOver(new SlowWatches(inner.core, () => overruns++));
    const broken = await through(slow, count);
    assert.ok(overruns > 1, "no watch fell behind: the burst proves nothing");
    const rates = `${rate(plain)}/s; ${rate(broken)}/s over ${String(overruns)} overruns`;
    const peak = Math.max(plain.heapBytes, broken.heapBytes);
    assert.ok(peak < HEAP_BYTES_MAX, `the heap grew to ${String(peak)} bytes`);
    return `${String(count)} creates, ${rates}, ${String(Math.round(peak / 2 ** 20))} MiB of heap`;
  },
};

interface Passage {
  readonly count: number;
  readonly ms: number;
  readonly heapBytes: number;
}

const rate = ({ count, ms }: Passage): string => Math.round((count / ms) * 1000).toString();

/** Creates a tenth at a time, without a pause, then waits for the last output. */
async function through(store: Store, count: number): Promise<Passage> {
  await using engine = createEngine({
    store,
    clock: systemClock,
    random: systemRandom,
    controllers: [doubling],
  });
  await engine.start();
  const followed = new Set<string>();
  const following = resume(store.core, Output).subscribe((events) => {
    for (const event of events)
      if (event.type === "created") followed.add(event.resource.metadata.id);
  });
  const begun = performance.now();
  let last: Promise<unknown> = Promise.resolve();
  for (let i = 0; i < count; i++) {
    last = store.create(Input, `i${String(i)}`, { value: i });
    if (i % (count / 10) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await last;
  const made = async () => (await store.list(Output)).length;
  while ((await made()) < count || followed.size < count) {
    assert.ok(performance.now() - begun < PATIENCE_MS, `${String(await made())} outputs only`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await engine.settled();
  }
  const ms = performance.now() - begun;
  const heapBytes = process.memoryUsage().heapUsed;
  for (const { metadata, spec } of await store.list(Output))
    assert.equal(spec.value, 2 * Number(metadata.id.slice(1)));
  assert.deepEqual(engine.metrics().qcontroller_crashes, { [doubling.name]: 0 });
  following.unsubscribe();
  await engine.stop();
  await store.close();
  return { count, ms, heapBytes };
}

/** Delivers a turn later, and errs where too much has come meanwhile, as a watch over a network does. */
class SlowWatches implements CoreStore {
  readonly atomic = true;
  readonly get: CoreStore["get"];
  readonly list: CoreStore["list"];
  readonly commit: CoreStore["commit"];
  readonly snapshot: CoreStore["snapshot"];
  readonly watch: CoreStore["watch"];
  readonly close: CoreStore["close"];
  readonly #core: CoreStore;
  readonly #onOverrun: () => void;

  constructor(core: CoreStore, onOverrun: () => void) {
    this.#core = core;
    this.#onOverrun = onOverrun;
    this.get = core.get.bind(core);
    this.list = core.list.bind(core);
    this.commit = core.commit.bind(core);
    this.snapshot = core.snapshot.bind(core);
    this.watch = core.watch.bind(core);
    this.close = core.close.bind(core);
  }

  watchKind(...args: Parameters<CoreStore["watchKind"]>): Observable<readonly WatchEvent[]> {
    return new Observable((subscriber) => {
      let pending: WatchEvent[] = [];
      let isFirst = true;
      const flush = () => {
        const batch = pending;
        pending = [];
        if (batch.length > 0) subscriber.next(batch);
      };
      const inner = this.#core.watchKind(...args).subscribe((events) => {
        if (pending.length === 0) setImmediate(flush);
        for (const event of events) pending.push(event);
        const isOverrun = !isFirst && pending.length > BACKLOG_MAX;
        isFirst = false; // what is there at first is no backlog
        if (!isOverrun) return;
        this.#onOverrun();
        pending = [{ type: "errored", error: new WatchOverrunError("buffer overrun") }];
        inner.unsubscribe();
      });
      return () => inner.unsubscribe();
    });
  }
}
