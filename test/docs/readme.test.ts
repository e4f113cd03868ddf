/** What the documents tell to open, to run and to type is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { at } from "#runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bench, type Bench } from "../apps/cli/harness.ts";

const root = join(import.meta.dirname, "../..");
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const textOf = (document: string) => readFileSync(join(root, document), "utf8");

/** Targets of links that are neither on the network nor in the same document. */
const linksIn = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));

/** Scripts of npm that a text runs. */
const scriptsIn = (text: string): string[] => [
  ...[...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, script = ""]) => script),
  ...[...text.matchAll(/\bnpm (start|test|stop|restart)\b/g)].map(([, script = ""]) => script),
];

/** Arguments of each call of the program, without what follows a comment sign or is piped on. */
const callsIn = (text: string): string[][] =>
  [...text.matchAll(/\.\/bin\/trustplane([^\n`]*)/g)].map(([, rest = ""]) =>
    rest
      .replace(/\s#.*|[|;&>].*/, "")
      .trim()
      .split(/\s+/)
      .filter((word) => word !== ""),
  );

const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };

let here: Bench;
beforeAll(async () => {
  here = await bench(at("2030-01-01"));
});
afterAll(() => here[Symbol.asyncDispose]());

/** What is wrong with a call, by the program's own help; empty when nothing is. */
async function complaints(call: readonly string[]): Promise<string[]> {
  const verbs: string[] = [];
  let help = (await here.run("--help")).stdout;
  for (const word of call) {
    const lists = new RegExp(`^  ${word.replace(/[^\w-]/g, "\\$&")}\\b`, "m");
    const commands = /^Commands:\n((?: {2}.*\n)*)/m.exec(help)?.[1] ?? "";
    if (word.startsWith("-") || commands === "") break;
    if (!lists.test(commands)) return [`${[...verbs, word].join(" ")} is no verb`];
    verbs.push(word);
    help = (await here.run(...verbs, "--help")).stdout;
  }
  const takes = (flag: string) => new RegExp(`^  (-\\w, )?${flag}(?![\\w-])`, "m").test(help);
  return call
    .slice(verbs.length)
    .filter((word) => word.startsWith("-"))
    .map((word) => word.replace(/=.*/, ""))
    .filter((flag) => !takes(flag))
    .map((flag) => `${verbs.join(" ")} has no flag ${flag}`);
}

describe.each(documents)("%s", (document) => {
  const text = textOf(document);

  test("links to files that are there", () => {
    const broken = linksIn(text).filter((to) => !existsSync(join(root, dirname(document), to)));
    expect(broken).toEqual([]);
  });

  test("runs scripts that there are", () => {
    expect(scriptsIn(text).filter((script) => scripts[script] === undefined)).toEqual([]);
  });

  test("calls the program by verbs and flags that it has", async () => {
    const wrong = await Promise.all(callsIn(text).map(complaints));
    expect(wrong.flat()).toEqual([]);
  });
});

test("the README shows all three", () => {
  const text = textOf("README.md");
  expect(linksIn(text).length).toBeGreaterThan(2);
  expect(scriptsIn(text).length).toBeGreaterThan(3);
  expect(callsIn(text).length).toBeGreaterThan(7);
});

test("what is not there is noticed", async () => {
  expect(linksIn("[a](b.md#c), [d](https://e.test), [f](#g)")).toEqual(["b.md"]);
  expect(scriptsIn("`npm run test:long -- --ci`, npm start, npm ci")).toEqual([
    "test:long",
    "start",
  ]);
  expect(callsIn("$ ./bin/trustplane get rd -w   # all\n`./bin/trustplane --help`")).toEqual([
    ["get", "rd", "-w"],
    ["--help"],
  ]);
  expect(await complaints(["gte", "rd"])).toEqual(["gte is no verb"]);
  expect(await complaints(["gen", "secret"])).toEqual(["gen secret is no verb"]);
  expect(await complaints(["get", "rd", "--watc"])).toEqual(["get has no flag --watc"]);
  expect(await complaints(["gen", "secrets", "-o", "x", "--outpu=y"])).toEqual([
    "gen secrets has no flag --outpu",
  ]);
  expect(await complaints(["get", "rd", "-f", "x"])).toEqual(["get has no flag -f"]);
  expect(await complaints(["get", "rd", "-o", "yaml", "--output", "yaml"])).toEqual([]);
});
