/** The words that the conformance cases are written with. */
import assert from "node:assert/strict";
import type { Observable } from "rxjs";
import { z } from "zod";
import { defineResource, type Clock, type Pointer } from "#runtime";
import type { Store, WatchEvent } from "#runtime/store";

/** Opens a new, empty store. */
export type Open = (options?: { readonly clock?: Clock }) => Promise<Store>;

/** One property that every store has. */
export interface Case {
  readonly name: string;
  run(open: Open): Promise<void>;
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
  /** The lines since the last time that this was asked. */
  news(): string[];
  stop(): void;
}

/** Subscribes and remembers. */
export function record<Spec>(watch: Observable<WatchEvent<Spec>>): Recording<WatchEvent<Spec>> {
  const events: WatchEvent<Spec>[] = [];
  let told = 0;
  let ended = false;
  const subscription = watch.subscribe({
    next: (event) => events.push(event),
    complete: () => {
      ended = true;
    },
  });
  return {
    events,
    get lines() {
      return events.map((event) => line(event as WatchEvent));
    },
    get ended() {
      return ended;
    },
    news() {
      const lines = this.lines.slice(told);
      told = events.length;
      return lines;
    },
    stop: () => subscription.unsubscribe(),
  };
}
