/** The words that the conformance cases of stores are written with. */
import assert from "node:assert/strict";
import type { Observable } from "rxjs";
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import type { Pointer } from "../../errors.ts";
import { defineResource } from "../../resource.ts";
import type { Store } from "../../store/state.ts";
import type { WatchEvent } from "../../store/store.ts";

/** Opens a new, empty store, whose kinds are {@link Path} and {@link Other}. */
export type OpenStore = (options?: { readonly clock?: Clock }) => Promise<Store>;

/** What not every store can do; the texts say why a case is not run where it is missing. */
export const capabilities = {
  atomic: "it needs a commit that is applied whole or not at all",
  sameProcess: "it needs values and an order that are shared with the store",
  edit: "it needs modifications that are made inside the store",
} as const;

/** The name of a capability. */
export type Capability = keyof typeof capabilities;

/** One property that every store has, or every one that has what the case needs. */
export interface StoreCase {
  readonly name: string;
  readonly needs?: Capability;
  run(open: OpenStore): Promise<void>;
}

/** COSI's kind under test, with a spec. */
export const Path = defineResource({
  type: "os/path",
  namespace: "default",
  spec: z.object({ size: z.number(), tags: z.array(z.string()) }),
});

/** A kind that is in the way. */
export const Other = defineResource({
  type: "os/other",
  namespace: "default",
  spec: z.object({ size: z.number() }),
});

export const spec = (size = 0, tags: string[] = []) => ({ size, tags });
export const path = (id: string): Pointer => ({ namespace: "default", type: "os/path", id });
export const kind = { namespace: "default", type: "os/path" };

/** Fails unless the promise rejects with an error of that code. */
export async function refused(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof Error);
    assert.equal("code" in error ? error.code : error.name, code, error.message);
    return true;
  });
}

/** An event in one line: `updated a@2 was a@1`. */
export function line(event: WatchEvent): string {
  if (event.type === "errored") return `errored ${event.error.code}`;
  if (event.type === "bootstrapped" || event.type === "noop") return event.type;
  const at = ({ metadata }: typeof event.resource) => `${metadata.id}@${metadata.version}`;
  const was = event.type === "updated" ? ` was ${at(event.old)}` : "";
  return `${event.type} ${at(event.resource)}${was}`;
}

/** What a subscription has got so far. */
export interface Recording<Event> {
  readonly events: Event[];
  readonly lines: string[];
  readonly ended: boolean;
  /** Fails unless exactly these lines have come by the time that as many have. */
  shows(...lines: readonly string[]): Promise<void>;
  /** The same for what came since the last time that this was asked. */
  news(...lines: readonly string[]): Promise<void>;
  /** Fails unless exactly these lines have come when the watch has ended. */
  ends(...lines: readonly string[]): Promise<void>;
  stop(): void;
}

/** Subscribes and remembers. */
export function record<Spec>(watch: Observable<WatchEvent<Spec>>): Recording<WatchEvent<Spec>> {
  const events: WatchEvent<Spec>[] = [];
  let told = 0;
  let ended = false;
  let wake: () => void = () => undefined;
  const subscription = watch.subscribe({
    next: (event) => {
      events.push(event);
      wake();
    },
    complete: () => {
      ended = true;
      wake();
    },
  });
  const lines = () => events.map((event) => line(event as WatchEvent));
  const until = async (count: number) => {
    while (events.length < count && !ended) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const others = wake;
      wake = () => {
        others();
        resolve(undefined);
      };
      await promise;
    }
  };
  return {
    events,
    get lines() {
      return lines();
    },
    get ended() {
      return ended;
    },
    async shows(...expected) {
      await until(expected.length);
      assert.deepEqual(lines(), expected);
      told = events.length;
    },
    async news(...expected) {
      await until(told + expected.length);
      assert.deepEqual(lines().slice(told), expected);
      told = events.length;
    },
    async ends(...expected) {
      await until(Infinity);
      assert.deepEqual(lines(), expected);
    },
    stop: () => subscription.unsubscribe(),
  };
}
