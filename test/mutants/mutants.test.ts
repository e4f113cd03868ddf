/** The planted bugs fit the code that they are planted in; whether they are caught says `npm run simulate:mutants`. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutants } from "./mutants.ts";

const sourceOf = (file: string) =>
  readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");

test("there are at least 25, each with a name of its own", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(25);
});

test.each(mutants)("there is one place where $name", ({ file, before, after }) => {
  expect(sourceOf(file).split(before)).toHaveLength(2);
  expect(after).not.toBe(before);
});
