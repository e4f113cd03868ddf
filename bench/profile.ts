/** Where the time of a CPU profile goes. */
import { readFile } from "node:fs/promises";

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** What V8 writes with `--cpu-prof`, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const LINES = 15;

/** What is no work of the program: time with nothing to do, and the start of the profiler itself. */
const isNoWork = (name: string) => name === "(idle)" || name.includes(" node:inspector:");

/** The functions with most time of their own, as shares of all time that the process was busy. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): readonly [string, number][] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const name = frames.get(id) ?? "?";
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[i] ?? 0));
  }
  const busy = [...times].filter(([name]) => !isNoWork(name));
  const total = busy.reduce((sum, [, time]) => sum + time, 0);
  return busy
    .map(([name, time]): [string, number] => [name, time / total])
    .sort(([, a], [, b]) => b - a);
}

const nameOf = ({ functionName, url, lineNumber }: CallFrame) => {
  const name = functionName === "" ? "(anonymous)" : functionName;
  const file = /(?:\/(?:src|bench|node_modules)\/|^node:).*$/.exec(url)?.[0] ?? url;
  return file === "" ? name : `${name} ${file.replace(/^\//, "")}:${lineNumber + 1}`;
};

/** The top of a profile as text. */
export async function hottest(path: string): Promise<string> {
  const profile = JSON.parse(await readFile(path, "utf8")) as CpuProfile;
  return selfTimes(profile)
    .slice(0, LINES)
    .map(([name, share]) => `${(share * 100).toFixed(1).padStart(6)} %  ${name}`)
    .join("\n");
}
