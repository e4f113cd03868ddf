/**
 * What a simulated process has asked of the real machine and not been answered yet: hashes, keys, files.
 * How long that takes is no part of the simulation, so it is waited for before anything else happens.
 */
import { AsyncLocalStorage, createHook, type AsyncHook } from "node:async_hooks";

/** Names of what Node.js answers once, and in its own time. */
const ANSWERED_ONCE = /REQ|^ZLIB$|^Immediate$|^Timeout$/;

const asking = new AsyncLocalStorage<Set<number>>();
const askedBy = new Map<number, Set<number>>();
let hook: AsyncHook | undefined;
let users = 0;

/**
 * Begins to tell what is asked for by whom, which costs a little.
 *
 * @returns a function that ends that
 */
export function followRealWork(): () => void {
  // Nothing is asked of promises, and following them would cost a lot.
  const options = { init, after: over, trackPromises: false };
  hook ??= createHook(options);
  if (users++ === 0) hook.enable();
  return () => {
    if (--users === 0) hook?.disable();
  };
}

function init(id: number, type: string, _trigger: number, resource: object): void {
  const asked = ANSWERED_ONCE.test(type) ? asking.getStore() : undefined;
  if (asked === undefined) return;
  asked.add(id);
  askedBy.set(id, asked);
  if (isJob(resource)) tellWhenDone(id, resource);
}

/** Cryptography, which is asked for by `run`: who asks for it at once is given a list, and no more is heard. */
interface Job {
  run: () => unknown;
}

const isJob = (resource: object): resource is Job =>
  "run" in resource && typeof resource.run === "function";

function tellWhenDone(id: number, job: Job): void {
  const run = job.run.bind(job);
  job.run = () => {
    const answer = run();
    if (Array.isArray(answer)) over(id);
    return answer;
  };
}

function over(id: number): void {
  askedBy.get(id)?.delete(id);
  askedBy.delete(id);
}

/** What one process has asked for. */
export class RealWork {
  readonly #asked = new Set<number>();

  /** Runs code that belongs to the process, and whatever goes on from there. */
  run<T>(work: () => T): T {
    return asking.run(this.#asked, work);
  }

  /** Whether something is not answered yet. */
  get isWaiting(): boolean {
    return this.#asked.size > 0;
  }
}
