/** The part of a workload that counts. */
import { writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";

/** How often something was done, in how many milliseconds. */
export interface Timed {
  readonly count: number;
  readonly elapsedMs: number;
}

export const perSecond = ({ count, elapsedMs }: Timed) => (count * 1000) / elapsedMs;

export const collectGarbage = () => globalThis.gc?.();

/** A file for the CPU profile of the timed part, the last one of a workload. */
const profile = process.env.TRUSTPLANE_BENCH_PROFILE;

/** How long `work` takes. */
export async function timed(count: number, work: () => Promise<unknown>): Promise<Timed> {
  collectGarbage();
  if (profile !== undefined) return profiled(count, work, profile);
  const start = performance.now();
  await work();
  return { count, elapsedMs: performance.now() - start };
}

async function profiled(count: number, work: () => Promise<unknown>, file: string): Promise<Timed> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  const start = performance.now();
  await work();
  const elapsedMs = performance.now() - start;
  const { profile: found } = await session.post("Profiler.stop");
  session.disconnect();
  await writeFile(file, JSON.stringify(found));
  return { count, elapsedMs };
}
