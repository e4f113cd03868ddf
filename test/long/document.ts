/** Runs a document: what its console blocks tell to type is typed, and what they show has to come. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** A line that is typed, and what is shown below it. */
export interface Step {
  readonly command: string;
  readonly shown: readonly string[];
}

/** The steps of all console blocks, in their order; `…` stands for lines that are not shown. */
export function stepsIn(text: string): Step[] {
  const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = "", ...shown] = step.trimEnd().split("\n");
        return { command, shown: shown.filter((line) => line !== "…") };
      }),
  );
}

/** What is another one each time: it counts that there is one. */
const volatile: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME"],
  [/\b[0-9a-z]{6}\.[0-9a-z]{16}\b/g, "TOKEN"],
  [/\b[0-9a-z]{44}\b/g, "ID"],
  [/\btalos-[0-9a-z]{3}-[0-9a-z]{3}\b/g, "NAME"],
  [/(?<=^|token |TIME )[0-9a-z]{6}(?= |$)/g, "TOKEN-ID"],
  [/\b(?:\d+[hms]){1,3}\b/g, "DURATION"],
  [/(?<= )\d+(?= )/g, "NUMBER"],
];

/** A line as it is compared. */
export const comparable = (line: string): string =>
  volatile
    .reduce((text, [pattern, word]) => text.replaceAll(pattern, word), line.replaceAll(/ +/g, " "))
    .trim();

/** A daemon has so long to say what is shown, and a command to end. */
const PATIENCE_MS = 60_000;

/** What changes nothing is typed again, as people do. */
const LOOKING = / (?:get|member list|token list)\b/;

/** Types the steps of a document in a directory, and ends what still runs. */
export async function follow(steps: readonly Step[], directory: string): Promise<void> {
  await using terminals = new Terminals(directory);
  for (const { command, shown } of steps) {
    let missing = await terminals.type(command, shown);
    // What has just begun may not be known everywhere.
    for (let again = 0; missing.length > 0 && again < 20 && LOOKING.test(command); again++) {
      await delay(500);
      missing = await terminals.type(command, shown);
    }
    if (missing.length > 0)
      throw new Error(`$ ${command}\nnot said: ${missing.join("\n")}\nsaid: ${terminals.said}`);
  }
}

/** One terminal for each daemon, and one in which everything else is typed. */
class Terminals implements AsyncDisposable {
  /** Of the last command. */
  said = "";
  readonly #directory: string;
  readonly #daemons: ChildProcess[] = [];
  readonly #shell: ChildProcess;

  constructor(directory: string) {
    this.#directory = directory;
    this.#shell = this.#open("exec bash 2>&1");
  }

  /** @returns what is shown and was not said */
  async type(command: string, shown: readonly string[]): Promise<string[]> {
    const isDaemon = command.includes(" up ");
    const terminal = isDaemon ? this.#open(`exec ${command} 2>&1`) : this.#shell;
    if (isDaemon) this.#daemons.push(terminal);
    else terminal.stdin?.write(`${command}\necho "ENDED $?"\n`);
    this.said = "";
    const isOver = () => /^ENDED \d+\n/m.test(this.said);
    await until(terminal, (text) => {
      this.said += text;
      return isDaemon ? this.#missing(shown).length === 0 : isOver();
    });
    return this.#missing(shown);
  }

  #missing(shown: readonly string[]): string[] {
    const lines = this.said.split("\n").map(comparable);
    return shown.filter((line) => !lines.some((said) => said.includes(comparable(line))));
  }

  #open(command: string): ChildProcess {
    const { TALOSCONFIG: _, ...others } = process.env;
    const env = { ...others, NO_COLOR: "1" };
    return spawn("bash", ["-c", command], { cwd: this.#directory, env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of [...this.#daemons, this.#shell]) {
      const ended = new Promise((resolve) => daemon.once("close", resolve));
      if (daemon.exitCode === null && daemon.kill("SIGKILL")) await ended;
    }
  }
}

/** Reads what a terminal shows until it is enough, or the time is up, or it ends. */
async function until(terminal: ChildProcess, isEnough: (text: string) => boolean): Promise<void> {
  const { stdout } = terminal;
  if (stdout === null) throw new Error("a terminal without output");
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, PATIENCE_MS);
    function done() {
      clearTimeout(timer);
      stdout?.off("data", read).off("end", done).resume();
      resolve();
    }
    function read(chunk: Buffer) {
      if (isEnough(chunk.toString())) done();
    }
    stdout.on("data", read).once("end", done);
    if (isEnough("")) done();
  });
}
