/** Waiting for a resource to be in a state. */
import { firstValueFrom, Observable } from "rxjs";
import type { Phase, Resource } from "../resource.ts";
import { StoreClosedError } from "./closed.ts";
import type { EventType, WatchEvent } from "./store.ts";

/**
 * What a resource must be like; all that is given must hold, and nothing given takes the first
 * event. What is destroyed or was never there is waited for by `types` only: it has no phase, no
 * finalizers and no spec to match.
 */
export interface WatchCondition<Spec> {
  readonly types?: readonly EventType[];
  readonly phase?: Phase;
  readonly finalizersEmpty?: boolean;
  readonly matches?: (resource: Resource<Spec>) => boolean;
}

/**
 * Waits for the first event that meets the condition.
 *
 * @throws {CodedError} when the watch fails, and the signal's reason when it is aborted
 */
export function watchFor<Spec>(
  events: Observable<WatchEvent<Spec>>,
  condition: WatchCondition<Spec>,
  signal?: AbortSignal,
): Promise<Resource<Spec>> {
  return firstOf(events, signal, (event) => (meets(event, condition) ? event.resource : undefined));
}

function meets<Spec>(
  event: WatchEvent<Spec>,
  { types, phase, finalizersEmpty, matches }: WatchCondition<Spec>,
): event is WatchEvent<Spec> & { type: "created" | "updated" | "destroyed" } {
  if (event.type !== "created" && event.type !== "updated" && event.type !== "destroyed")
    return false;
  if (types !== undefined && !types.includes(event.type)) return false;
  const { resource } = event;
  if (event.type === "destroyed")
    return phase === undefined && finalizersEmpty !== true && matches === undefined;
  return (
    (phase === undefined || resource.metadata.phase === phase) &&
    (finalizersEmpty !== true || resource.metadata.finalizers.length === 0) &&
    (matches === undefined || matches(resource))
  );
}

/** The first answer that `pick` gives; an errored event, the end of the watch and abort reject. */
export function firstOf<Spec, Answer>(
  events: Observable<WatchEvent<Spec>>,
  signal: AbortSignal | undefined,
  pick: (event: WatchEvent<Spec>) => Answer | undefined,
): Promise<Answer> {
  const picked = new Observable<Answer>((subscriber) => {
    const abort = () => subscriber.error(signal?.reason);
    if (signal?.aborted) {
      abort();
      return undefined;
    }
    signal?.addEventListener("abort", abort);
    subscriber.add(() => signal?.removeEventListener("abort", abort));
    return events.subscribe({
      next: (event) => {
        if (event.type === "errored") subscriber.error(event.error);
        else {
          const answer = pick(event);
          if (answer !== undefined) subscriber.next(answer);
        }
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.error(new StoreClosedError()),
    });
  });
  return firstValueFrom(picked);
}
