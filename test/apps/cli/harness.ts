/** Runs the program inside the test, with streams, directories and a clock of its own. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualClock, systemRandom, type Instant, type ManualClock } from "#runtime";
import type { Io, Sink } from "../../../src/apps/cli/io.ts";
import { runCli } from "../../../src/apps/cli/program.ts";

/** How a run ended. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory to work in, and a home without a talosconfig. */
export interface Bench extends AsyncDisposable {
  readonly cwd: string;
  readonly home: string;
  readonly clock: ManualClock;
  /** Runs the program with these arguments. */
  run(...argv: string[]): Promise<Outcome>;
  /** As {@link run}, with more to say about the world. */
  runWith(world: World, ...argv: string[]): Promise<Outcome>;
  write(path: string, content: string): Promise<void>;
  read(path: string): Promise<string>;
  /** Permission bits, as in `0o600`. */
  mode(path: string): Promise<number>;
  /** Everything in the working directory, hidden files included. */
  files(): Promise<string[]>;
}

/** What a test changes of the world. */
export interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly terminal?: boolean;
  readonly signal?: AbortSignal;
  /** What the user does in the editor. */
  readonly edit?: (path: string) => Promise<void>;
  /** Sees the standard output as it is written. */
  readonly onStdout?: (text: string) => void;
}

/** Makes an empty directory and a home beside it; both are gone at the end of the test. */
export async function bench(now: Instant): Promise<Bench> {
  const root = await mkdtemp(join(tmpdir(), "trustplane-cli-"));
  const [cwd, home] = [join(root, "work"), join(root, "home")];
  for (const path of [cwd, home]) await mkdir(path);
  const clock = manualClock(now);
  const runWith = async (world: World, ...argv: string[]): Promise<Outcome> => {
    const seen = { stdout: "", stderr: "" };
    const sink = (name: "stdout" | "stderr"): Sink => ({
      isTTY: world.terminal ?? false,
      write(bytes) {
        const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString();
        seen[name] += text;
        if (name === "stdout") world.onStdout?.(text);
        return true;
      },
    });
    const io: Io = {
      stdin: async () => world.stdin ?? "",
      line: async () => (world.stdin ?? "").split("\n", 1)[0] ?? "",
      stdout: sink("stdout"),
      stderr: sink("stderr"),
      env: world.env ?? {},
      cwd,
      home,
      clock,
      random: systemRandom,
      edit: world.edit ?? (() => Promise.reject(new Error("no editor"))),
      interruption: () => world.signal ?? new AbortController().signal,
    };
    return { status: await runCli(argv, io, async () => io), ...seen };
  };
  return {
    cwd,
    home,
    clock,
    runWith,
    run: (...argv) => runWith({}, ...argv),
    write: (path, content) => writeFile(join(cwd, path), content),
    read: (path) => readFile(join(cwd, path), "utf8"),
    mode: async (path) => (await stat(join(cwd, path))).mode & 0o7777,
    files: async () => (await readdir(cwd, { recursive: true })).sort(),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
