/** The program that the blocks of a document make, and what it says that they print. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** The blocks, in their order, as one module. */
export const programIn = (text: string): string =>
  [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = ""]) => block).join("\n");

/** What follows the calls of `console.log`, a line each. */
export const promisedBy = (program: string): string[] =>
  [...program.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line = ""]) => line);

/** Compiles a program as strictly as our own, and runs it. */
export async function examine(
  program: string,
): Promise<{ readonly problems: readonly string[]; readonly printed: readonly string[] }> {
  // Inside the package, for it imports what the package exports.
  const directory = await mkdtemp(join(root, "test/docs/tmp-"));
  try {
    const file = join(directory, "program.ts");
    await writeFile(file, program);
    const problems = compile(file);
    const { stdout } = await run(process.execPath, ["--conditions=trustplane-src", file]);
    return { problems, printed: stdout.trimEnd().split("\n") };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function compile(file: string): string[] {
  const path = join(root, "tsconfig.json");
  const found = ts.readConfigFile(path, (name) => ts.sys.readFile(name));
  const { options } = ts.parseJsonConfigFileContent(found.config, ts.sys, root);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
