import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { comparable, follow, stepsIn } from "../long/document.ts";

const text = `
\`\`\`console
$ export GREETING=hello
$ echo "$GREETING 2030-01-01T00:00:00Z"
hello 2026-11-28T12:13:14Z
\`\`\`

\`\`\`text
$ rm -r /
\`\`\`

\`\`\`console
$ seq 3
1
…
3
\`\`\`
`;

test("what is typed in console blocks, and what is shown below it", () => {
  expect(stepsIn(text)).toEqual([
    { command: "export GREETING=hello", shown: [] },
    {
      command: 'echo "$GREETING 2030-01-01T00:00:00Z"',
      shown: ["hello 2026-11-28T12:13:14Z"],
    },
    { command: "seq 3", shown: ["1", "3"] },
  ]);
});

test("what is another one each time does not count, nor does the width of columns", () => {
  expect(comparable("w1   3   2026-11-28T12:13:14Z  Valid ")).toBe("w1 NUMBER TIME Valid");
  expect(comparable("use rmdc2g.7cpldjf0sknmkp3e for 1h0m0s")).toBe("use TOKEN for DURATION");
});

test("a document is followed in one shell, and what it shows without cause is told", async () => {
  const directory = await mkdtemp(join(tmpdir(), "trustplane-document-"));
  try {
    await follow(stepsIn(text), directory);
    const untrue = stepsIn("```console\n$ echo one; echo two >&2\ntwo\nthree\n```\n");
    await expect(follow(untrue, directory)).rejects.toThrow(/not said: three\nsaid: one\ntwo/);
  } finally {
    await rm(directory, { recursive: true });
  }
});
