/** The word that was probably meant. */
import { expect, test } from "vitest";
import { closest } from "../../../src/apps/cli/similar.ts";

const kinds = ["certificatestatus", "certificatestatuses", "certsan", "cs", "hostname"];

test("a letter left out, put in or replaced, in any case", () => {
  for (const word of ["certificatestats", "certificatestattus", "CertificateStatis"])
    expect(closest(word, kinds)).toEqual(["certificatestatus"]);
});

test("all that are equally near", () => {
  expect(closest("certsaan", ["certsan", "certsaa"])).toEqual(["certsan", "certsaa"]);
});

test("nothing is near to a word of other letters, or to an abbreviation", () => {
  for (const word of ["secrets", "cx", "", "x".repeat(40)])
    expect(closest(word, kinds)).toEqual([]);
});
