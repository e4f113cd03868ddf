import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How many tests came out how; a test with subtests counts by these. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** One line of `go test -json`. */
interface TestEvent {
  readonly Action: string;
  readonly Test?: string;
  readonly Output?: string;
  readonly Time: string;
}

/** Runs the Go tests and prints each test as it ends, a failed or skipped one with what it says. */
export async function goTest(
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly tally: Tally }> {
  const args = ["test", "-json", "-count=1", "-timeout=5m", "./..."];
  const child = spawn("go", args, {
    cwd: import.meta.dirname,
    env: { ...process.env, ...environment, GOTOOLCHAIN: "local" },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // a process group of its own, so that the test binary ends with `go test`
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  const interrupt = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  };
  signal.addEventListener("abort", interrupt, { once: true });
  if (signal.aborted) interrupt();
  const printer = new TestPrinter();
  for await (const line of createInterface({ input: child.stdout })) printer.take(line);
  const [status] = await ended;
  signal.removeEventListener("abort", interrupt);
  return { status: status ?? 1, tally: printer.tally };
}

class TestPrinter {
  readonly tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  readonly #output = new Map<string, string>();
  readonly #parents = new Set<string>();
  readonly #begun = new Map<string, number>();
  /** How many subtests without subtests each test has had. */
  readonly #cases = new Map<string, number>();

  take(line: string): void {
    if (!line.startsWith("{")) {
      console.log(line);
      return;
    }
    const event = JSON.parse(line) as TestEvent;
    if (event.Test === undefined) this.#takeOfPackage(event);
    else this.#takeOfTest(event, event.Test);
  }

  /** What does not build says so here, and so does a panic. */
  #takeOfPackage({ Action, Output = "" }: TestEvent): void {
    if (
      Action === "build-output" ||
      (Action === "output" && !/^(PASS\n|FAIL\n|ok\s|FAIL\t\S+\t[\d.]+s)/.test(Output))
    ) {
      process.stdout.write(Output);
    }
  }

  #takeOfTest({ Action, Output = "", Time }: TestEvent, test: string): void {
    switch (Action) {
      case "run":
        this.#begun.set(test, Date.parse(Time));
        for (const { index } of test.matchAll(/\//g)) this.#parents.add(test.slice(0, index));
        break;
      case "output":
        this.#output.set(test, (this.#output.get(test) ?? "") + Output);
        break;
      case "pass":
        this.#count(test, "passed");
        if (!test.includes("/")) console.log(`ok    ${test} (${this.#extent(test, Time)})`);
        for (const note of this.#notes(test)) console.log(`      ${test}: ${note}`);
        break;
      case "fail":
      case "skip":
        this.#count(test, Action === "fail" ? "failed" : "skipped");
        this.#tell(Action, test);
        break;
    }
  }

  #count(test: string, how: keyof Tally): void {
    if (this.#parents.has(test)) return;
    this.tally[how] += 1;
    const top = test.split("/", 1)[0] ?? test;
    if (top !== test) this.#cases.set(top, (this.#cases.get(top) ?? 0) + 1);
  }

  /** How many cases a test had, where it had some, and how long it took. */
  #extent(test: string, end: string): string {
    const cases = this.#cases.get(test);
    // Go leaves out the time of subtests that run side by side.
    const elapsed = Date.parse(end) - (this.#begun.get(test) ?? Date.parse(end));
    const time = `${(elapsed / 1000).toFixed(2)} s`;
    return cases === undefined ? time : `${String(cases)} cases, ${time}`;
  }

  /** What a test that passed wants to be known. */
  #notes(test: string): string[] {
    return [...(this.#output.get(test) ?? "").matchAll(/: note: (.*)/g)].map(
      ([, note = ""]) => note,
    );
  }

  /** A test whose subtests have said it all says nothing more. */
  #tell(action: string, test: string): void {
    const said = this.#said(test);
    if (said === "" && this.#parents.has(test)) return;
    process.stdout.write(`${action.padEnd(6)}${test}\n${said}`);
  }

  /** The test's own words, without those of the framework. */
  #said(test: string): string {
    const lines = (this.#output.get(test) ?? "").split("\n");
    const own = lines.filter((line) => line !== "" && !/^\s*(===|---) /.test(line));
    return own.map((line) => `      ${line.trim()}\n`).join("");
  }
}
