import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { CommandError, environment, launcher, root } from "./command.ts";

const STOP_MS = 10_000;

/** A daemon that this process started, and that ends with it. */
export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<string>;
  #output = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = exitOf(child);
    this.#exit.catch(() => undefined); // whoever waits for it hears of it
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
  }

  /** Starts a verb of trustplane and waits until its standard output holds a text, without polling. */
  static async start(
    args: readonly string[],
    until: RegExp,
    { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
  ): Promise<NodeProcess> {
    const stdio = ["ignore", "pipe", "pipe"] as const;
    const child = spawn(launcher, args, { cwd: root, env: environment(), stdio: [...stdio] });
    const started = new NodeProcess(child);
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      await Promise.race([started.#printed(until, limit), started.#ended()]);
      return started;
    } catch (cause) {
      await started.stop().catch(() => undefined);
      const text = `${args.join(" ")}: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new CommandError(`trustplane ${text}\n${started.#output.trim()}`, { cause });
    }
  }

  /**
   * Ends it with SIGTERM.
   *
   * @throws {CommandError} when it does not end in time (it is then killed), or not with status 0
   */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    try {
      const how = await this.#exit;
      if (how !== "status 0") {
        throw new CommandError(`after SIGTERM: ${how}, want status 0\n${this.#output.trim()}`);
      }
    } finally {
      clearTimeout(killer);
    }
  }

  async #printed(until: RegExp, signal: AbortSignal): Promise<void> {
    const { stdout } = this.#child;
    if (!stdout) throw new CommandError("it has no standard output");
    stdout.setEncoding("utf8");
    let printed = "";
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => {
        reject(new CommandError(`it did not print ${String(until)} in time`));
      });
      stdout.on("data", (text: string) => {
        printed += text;
        if (until.test(printed)) resolve();
      });
    });
  }

  async #ended(): Promise<never> {
    throw new CommandError(`it ended with ${await this.#exit}`);
  }
}

async function exitOf(child: ChildProcess): Promise<string> {
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return signal === null ? `status ${String(code)}` : `signal ${signal}`;
}
