/** What must not compile does not, for what the types of the runtime say and for nothing else. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const UNUSED_DIRECTIVE = 2578;
const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".check.ts"));

const config = join(root, "tsconfig.json");
const found = ts.readConfigFile(config, (name) => ts.sys.readFile(name));
const { options } = ts.parseJsonConfigFileContent(found.config, ts.sys, root);

/** Lines with problems, and what they are; `text` stands for what is in the file. */
function problemsOf(file: string, text: string, loose = false): { line: number; code: number }[] {
  const compiler = { ...options, ...(loose && { noImplicitAny: false }) };
  const host = ts.createCompilerHost(compiler);
  const sourceOf = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2024)
      : sourceOf(name, ...rest);
  const program = ts.createProgram([file], compiler, host);
  const source = program.getSourceFile(file);
  return ts.getPreEmitDiagnostics(program, source).map(({ start = 0, code }) => ({
    line: (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
    code,
  }));
}

/** The same text with everything of ours of type `any`. */
const loosened = (text: string): string =>
  text.replace(/^import (?!type)\{([^}]*)\} from "#[^"]*";$/gms, (whole, names: string) => {
    const words = names.split(",").map((name) => name.trim());
    const values = words.filter(Boolean).map((name) => `${name}: any`);
    return `declare const ${values.join(", ")};${"\n".repeat(whole.split("\n").length - 1)}`;
  });

const directivesIn = (text: string): number[] =>
  text.split("\n").flatMap((line, index) => (line.includes("@ts-expect-error") ? [index + 1] : []));

describe.each(files)("%s", (name) => {
  const file = join(import.meta.dirname, name);
  const text = readFileSync(file, "utf8");
  const expected = directivesIn(text);

  test("what must compile does, and what must not does not", () => {
    expect(expected.length).toBeGreaterThan(10);
    expect(problemsOf(file, text)).toEqual([]);
  });

  test("with loose types every refusal would be missed", () => {
    const problems = problemsOf(file, loosened(text), true);
    expect(problems).toEqual(expected.map((line) => ({ line, code: UNUSED_DIRECTIVE })));
  });
});

test("there are files", () => {
  expect(files.length).toBeGreaterThan(1);
});
