/** The one place that turns failures into text. */
import { expect, test } from "vitest";
import { CodedError } from "#runtime";
import { fileAccess, report, UsageError } from "../../../src/apps/cli/errors.ts";
import { withProgress } from "../../../src/apps/cli/terminal.ts";

class TeapotError extends CodedError {
  readonly code = "ERR_TEAPOT";
  readonly hint = "use a kettle";
}

function reported(error: unknown, env: Record<string, string> = {}, node?: string) {
  let text = "";
  const status = report(error, { stderr: { write: (more) => (text += String(more)) }, env }, node);
  return { status, text };
}

test("a coded error is its message, and its hint on a line of its own", () => {
  expect(reported(new TeapotError("no coffee"))).toEqual({
    status: 1,
    text: "error: no coffee\nhint: use a kettle\n",
  });
  expect(reported(new TeapotError("no coffee"), {}, "192.0.2.1").text).toMatch(
    /^error: 192\.0\.2\.1: no coffee\n/,
  );
});

test("wrong usage has status 2", () => {
  expect(reported(new UsageError("both are required")).status).toBe(2);
});

test("an unexpected error is short; its stack is there for those who ask", () => {
  const error = new TypeError("x is not a function");
  const short = "error: x is not a function (ERR_INTERNAL; TRUSTPLANE_DEBUG=1 shows where)\n";
  expect(reported(error)).toEqual({ status: 1, text: short });
  const { text } = reported(error, { TRUSTPLANE_DEBUG: "1" });
  expect(text).toContain("errors.test.ts");
  expect(text.endsWith(short)).toBe(true);
  expect(reported("thrown text").text).toContain("error: thrown text (ERR_INTERNAL");
});

test("failed system calls are in words, with the path", () => {
  const cause = Object.assign(new Error("EACCES: permission denied, open '/x'"), {
    code: "EACCES",
  });
  expect(fileAccess("read", "x", cause).message).toBe('cannot read "x": permission denied');
  const odd = Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  expect(fileAccess("write", "x", odd).message).toContain("too many open files");
});

test("progress is a line on a terminal that goes away, and nothing elsewhere", async () => {
  const seen = async (
    isTTY: boolean,
    env: Record<string, string>,
    work: () => Promise<unknown>,
  ) => {
    let text = "";
    const stderr = { isTTY, write: (more: string) => (text += more) };
    await withProgress({ stderr, env }, "making keys", work).catch(() => undefined);
    return text;
  };
  const done = async () => 1;
  const failing = async () => Promise.reject(new Error("no"));
  expect(await seen(true, {}, done)).toBe("making keys …\r\u001b[K");
  expect(await seen(true, {}, failing)).toBe("making keys …\r\u001b[K");
  expect(await seen(true, { TERM: "dumb" }, done)).toBe("");
  expect(await seen(false, {}, done)).toBe("");
});
