/** One line on a terminal that is written over and over. */
import { days } from "#runtime";
import { faultsIn, type Progress } from "#runtime/simulation";
import type { Io } from "../../io.ts";

/** The line; off a terminal nothing is shown. */
export interface ProgressLine {
  show(text: string): void;
  clear(): void;
}

const CLEAR = "\r\u001b[K";

export function progressLine({ stderr }: Pick<Io, "stderr">): ProgressLine {
  let isShown = false;
  return {
    show(text) {
      if (stderr.isTTY !== true) return;
      stderr.write(`${CLEAR}${text.slice(0, (stderr.columns ?? 80) - 1)}`);
      isShown = true;
    },
    clear() {
      if (isShown) stderr.write(CLEAR);
      isShown = false;
    },
  };
}

/** How far one simulation is. */
export function progressOf({ simulated, counts }: Progress, horizon: number): string {
  const part = Math.min(100, Math.floor((100 * simulated) / horizon));
  return (
    `${String(part)}%: ${(simulated / days(365)).toFixed(1)} years, ${String(faultsIn(counts))} faults, ` +
    `${String(counts.checks)} properties looked at`
  );
}
