/** How long the command line takes from nothing to its end, in milliseconds: the median of some. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { median } from "../statistics.ts";
import type { Task } from "../size.ts";

export async function coldStart({ program, warmup = 1, count }: Task): Promise<number> {
  if (program === undefined) throw new TypeError("there is no program to start");
  const times: number[] = [];
  for (let i = -warmup; i < count; i++) {
    const start = performance.now();
    const child = spawn(program, ["get", "--help"], { stdio: "ignore" });
    const [status] = (await once(child, "close")) as [number | null];
    if (status !== 0) throw new Error(`${program} get --help ended with status ${String(status)}`);
    if (i >= 0) times.push(performance.now() - start);
  }
  return median(times);
}
