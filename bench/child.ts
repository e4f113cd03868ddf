/** Processes that do the work, and end whatever happens. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const TIMEOUT_MS = 400_000;
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;
const POLL_MS = 20;
const STDERR_MAX = 2000;

/** A program and how it is called. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A program that did not end as it should, with the last of what it said. */
export class ChildError extends Error {
  override readonly name = "ChildError";
}

/** Runs a program to its end. @returns its standard output */
export async function runToEnd(program: Program, signal: AbortSignal): Promise<string> {
  const { child, stderr } = start(program);
  let stdout = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const end = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const kill = () => child.kill("SIGKILL");
  end.addEventListener("abort", kill, { once: true });
  if (end.aborted) kill();
  try {
    const [status, killedBy] = (await once(child, "close")) as [number | null, string | null];
    if (status === 0) return stdout;
    const how = end.aborted ? "took too long" : `ended with ${String(status ?? killedBy)}`;
    throw new ChildError(`${program.file} ${program.args.join(" ")} ${how}\n${stderr()}`);
  } finally {
    end.removeEventListener("abort", kill);
  }
}

/** Runs `use` while a server serves, which it does as soon as `isUp` says so. */
export async function withServer<T>(
  program: Program,
  isUp: () => Promise<boolean>,
  signal: AbortSignal,
  use: () => Promise<T>,
): Promise<T> {
  const { child, stderr } = start(program);
  child.stdout?.resume();
  try {
    await serving(child, isUp, signal).catch((cause: unknown) => {
      throw new ChildError(`${program.file} does not serve\n${stderr()}`, { cause });
    });
    return await use();
  } finally {
    await stop(child);
  }
}

function start({ file, args, env = {} }: Program) {
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_MAX);
  });
  return { child: child as ChildProcess, stderr: () => stderr.trim() };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) =>
  exitCode !== null || signalCode !== null;

async function serving(
  child: ChildProcess,
  isUp: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  while (!(await isUp())) {
    signal.throwIfAborted();
    if (failure !== undefined) throw failure;
    if (hasEnded(child)) throw new ChildError("it has ended");
    if (performance.now() > deadline) throw new ChildError("it takes too long");
    await sleep(POLL_MS);
  }
}

/** Whether somebody listens on a socket. */
export const answers = (path: string) =>
  new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
    probe.once("connect", () => probe.destroy());
  });

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const late = new AbortController();
  void sleep(STOP_MS_MAX, undefined, { signal: late.signal }).then(
    () => child.kill("SIGKILL"),
    () => {},
  );
  await ended;
  late.abort();
}
