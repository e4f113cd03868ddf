/** How long calls have to end by themselves when a listener closes. */
import { ringAfter, seconds, type Clock } from "#runtime";

const GRACE = seconds(0.5);

/** Resolves when all are gone, or after half a second, however the clock is set meanwhile. */
export const grace = (gone: Promise<unknown>, clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    const cancel = ringAfter(clock, GRACE, resolve);
    void gone.then(cancel).then(resolve);
  });
