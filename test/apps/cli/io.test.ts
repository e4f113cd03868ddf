/** How the program is joined to its process: signals, and readers that go away. */
import { EventEmitter } from "node:events";
import { beforeEach, expect, test } from "vitest";
import { processShell, type Shell } from "../../../src/apps/cli/io.ts";

/** Stands in for node's process, which a test cannot end. */
class FakeProcess extends EventEmitter {
  readonly stdout = new EventEmitter();
  written = "";
  readonly stderr = Object.assign(new EventEmitter(), {
    write: (text: string) => (this.written += text),
  });
  exitCode: number | undefined;
  readonly env = {};
  readonly exits: number[] = [];
  seconds = 10;
  readonly uptime = () => this.seconds;
  readonly cwd = () => "/";
  readonly exit = (status: number) => this.exits.push(status);
}

let process: FakeProcess;
let shell: Shell;
beforeEach(() => {
  process = new FakeProcess();
  shell = processShell(process as unknown as NodeJS.Process);
});

const readerGone = () =>
  process.stdout.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));

test("a verb that does not wait leaves signals to the system", () => {
  expect(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM")).toBe(0);
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"])(
  "the first %s aborts, the second ends with 130",
  (name) => {
    const signal = shell.interruption();
    expect(shell.interruption()).toBe(signal);
    process.emit(name);
    expect({ aborted: signal.aborted, exits: process.exits }).toEqual({ aborted: true, exits: [] });
    process.seconds += 0.1; // npm passes on what the terminal has sent to all of its processes
    process.emit("SIGINT");
    expect(process.exits).toEqual([]);
    process.seconds += 1;
    process.emit("SIGINT");
    expect(process.exits).toEqual([130]);
  },
);

test("without a reader a verb that waits is told to stop, any other ends with 0", () => {
  readerGone();
  expect(process.exits).toEqual([0]);
  process.exits.length = 0;
  const signal = shell.interruption();
  readerGone();
  expect({ aborted: signal.aborted, exits: process.exits }).toEqual({ aborted: true, exits: [] });
});

const diskFull = () =>
  process.stdout.emit("error", Object.assign(new Error("write"), { code: "ENOSPC" }));
const told = "error: cannot write to the standard output: no space left on the device (ENOSPC)\n";

test("any other failure of the output is told once, and ends with 1", () => {
  diskFull();
  diskFull();
  expect(process.written).toBe(told);
  expect(process.exits).toEqual([1, 1]);
});

test("a verb that waits is told to stop, and the status stays", () => {
  const signal = shell.interruption();
  diskFull();
  expect({ aborted: signal.aborted, exits: process.exits }).toEqual({ aborted: true, exits: [] });
  expect({ exitCode: process.exitCode, told: process.written }).toEqual({ exitCode: 1, told });
});

test("a standard error that takes nothing stops nothing", () => {
  expect(process.stderr.emit("error", new Error("EIO"))).toBe(true);
});
