/** Events one after the other where a store has them in batches. */
import { Observable } from "rxjs";

/** The elements of the batches; a subscriber that goes gets nothing more of its batch. */
export const oneByOne = <Event>(batches: Observable<readonly Event[]>): Observable<Event> =>
  new Observable((subscriber) =>
    batches.subscribe({
      next(batch) {
        for (const event of batch) {
          if (subscriber.closed) return;
          subscriber.next(event);
        }
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    }),
  );
