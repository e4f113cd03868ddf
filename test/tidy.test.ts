/** The source holds to its own architecture. Each rule is shown to catch what it is there for. */
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  doorsTo,
  keepsToItsLayer,
  knowsNoOtherController,
  layersOf,
  namesPassedOn,
  showsItsBorders,
} from "./tidy/borders.ts";
import { asksNoClockNorDice } from "./tidy/seams.ts";
import {
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  hasShortFunctions,
  hasTellingName,
  isOfOneSitting,
  listsItsExports,
} from "./tidy/shape.ts";
import { parse, readSources, type Rule } from "./tidy/source.ts";

const root = join(import.meta.dirname, "..");
const src = readSources(root, ["src"]);
const tests = readSources(root, ["test"]);

/** Where the machine is asked what time it is, and for chance. */
const seams: Readonly<Record<string, string>> = {
  "src/runtime/clock.ts": "the system's clock and its alarms",
  "src/runtime/random.ts": "the system's random source",
};

const runtimeIndex = src.find(({ path }) => path === "src/runtime/index.ts");
if (runtimeIndex === undefined) throw new Error("src/runtime has no index.ts");
const pkiWords = namesPassedOn(runtimeIndex, ["clock", "random", "errors", "instant"]);

const lines = (count: number) => "//\n".repeat(count);

interface Samples {
  readonly rule: Rule;
  readonly sources: typeof src;
  /** Path, text and what is said of it. */
  readonly bad: readonly (readonly [path: string, text: string, complaint: string])[];
  readonly good: readonly (readonly [path: string, text: string])[];
}

const rules: Readonly<Record<string, Samples>> = {
  "a folder imports only what its layer may": {
    rule: keepsToItsLayer(layersOf(pkiWords)),
    sources: src,
    bad: [
      ["src/index.ts", ``, "src/index.ts is in no layer"],
      ["src/lib/a.ts", ``, "is in no layer"],
      ["src/runtime/a.ts", `import { b } from "#pki";`, "a.ts:1 runtime may not import b of #pki"],
      ["src/runtime/a.ts", `\nexport { b } from "#config";`, "a.ts:2 runtime may not import b"],
      ["src/runtime/a.ts", `type A = import("#resources").B;`, "may not import B of #resources"],
      ["src/runtime/a.ts", `await import("#apps");`, "may not import * of #apps"],
      ["src/runtime/a.ts", `await import(name);`, "of something that is computed"],
      ["src/pki/a.ts", `import { defineResource } from "#runtime";`, "import defineResource"],
      ["src/pki/a.ts", `import * as runtime from "#runtime";`, "may not import *"],
      ["src/pki/a.ts", `import "#runtime";`, "may not import *"],
      ["src/pki/a.ts", `import { memoryStore } from "#runtime/store";`, "of #runtime/store"],
      ["src/pki/a.ts", `import type { A } from "#resources";`, "of #resources"],
      ["src/pki/a.ts", `import { readFile } from "node:fs/promises";`, "of node:fs/promises"],
      ["src/pki/a.ts", `import grpc from "@grpc/grpc-js";`, "default of @grpc/grpc-js"],
      ["src/config/a.ts", `import { A } from "#resources";`, "of #resources"],
      ["src/config/a.ts", `const fs = require("fs");`, "of fs"],
      ["src/config/a.ts", `import type { A } from "@grpc/grpc-js";`, "of @grpc/grpc-js"],
      ["src/resources/a/b.ts", `import { issue } from "#pki";`, "may not import issue of #pki"],
      ["src/resources/a/b.ts", `import { issue, type A } from "#pki";`, "of #pki"],
      ["src/resources/a/b.ts", `import { engine } from "#runtime/engine";`, "of #runtime/engine"],
      ["src/resources/a/b.ts", `import { Observable } from "rxjs";`, "of rxjs"],
      ["src/resources/a/b.ts", `import { A } from "#config";`, "of #config"],
      ["src/resources/a/b.ts", `import grpc from "@grpc/grpc-js";`, "of @grpc/grpc-js"],
      ["src/controllers/a/b.ts", `import { a } from "#apps";`, "of #apps"],
      ["src/controllers/a/b.ts", `import { a } from "#runtime/store";`, "of #runtime/store"],
      ["src/controllers/a/b.ts", `import { a } from "#runtime/rpc";`, "of #runtime/rpc"],
      ["src/controllers/a/b.ts", `import { connect } from "node:net";`, "of node:net"],
      ["src/controllers/a/b.ts", `import { get } from "http";`, "of http"],
      ["src/controllers/a/b.ts", `import type { TLSSocket } from "node:tls";`, "of node:tls"],
      ["src/controllers/a/b.ts", `import "node:timers/promises";`, "of node:timers/promises"],
      ["src/controllers/a/b.ts", `import { createHash } from "node:crypto";`, "of node:crypto"],
      ["src/controllers/a/b.ts", `import grpc from "@grpc/grpc-js";`, "of @grpc/grpc-js"],
    ],
    good: [
      ["src/runtime/store/a.ts", `import { b } from "../errors.ts"; import "rxjs";`],
      ["src/pki/a.ts", `import { days, type Clock } from "#runtime"; import "node:crypto";`],
      ["src/config/a.ts", `import { CodedError } from "#runtime"; import { A } from "#pki";`],
      ["src/resources/a/b.ts", `import { type A } from "#pki"; import { z } from "zod";`],
      ["src/resources/a/b.ts", `import type { A } from "#pki"; type B = import("#pki").B;`],
      ["src/resources/a/b.ts", `export type { A } from "#pki";`],
      ["src/controllers/a/b.ts", `import { a } from "#resources"; import { b } from "#config";`],
      ["src/controllers/a/b.ts", `// import { connect } from "node:net";`],
      ["src/apps/cli/a.ts", `import { a } from "#runtime/store"; import "node:fs";`],
    ],
  },

  "an import shows whether it crosses a border": {
    rule: showsItsBorders,
    sources: src,
    bad: [
      ["src/pki/a.ts", `import { b } from "../runtime/b.ts";`, "leaves pki by ../runtime/b.ts"],
      ["src/apps/cli/a.ts", `export { b } from "../../pki/index.ts";`, "leaves apps"],
      ["src/apps/cli/a.ts", `await import("../../../test/b.ts");`, "leaves apps"],
      ["src/pki/a.ts", `import { b } from "#pki";`, "stays in pki by #pki"],
      ["src/runtime/a.ts", `import { b } from "#runtime/store";`, "stays in runtime"],
      ["src/apps/cli/a.ts", `import { b } from "trustplane/pki";`, "as if it were installed"],
    ],
    good: [
      ["src/apps/cli/a.ts", `import { b } from "#pki"; import { c } from "../node/c.ts";`],
      ["src/runtime/engine/a.ts", `import type { B } from "../store/b.ts";`],
    ],
  },

  "controllers meet only through resources": {
    rule: knowsNoOtherController,
    sources: src,
    bad: [
      ["src/controllers/a/b.ts", `import { c } from "./c.ts";`, "may not import ./c.ts"],
      ["src/controllers/a/b.ts", `import type { C } from "../d/c.ts";`, "may not import ../d/c.ts"],
      ["src/controllers/a/b.ts", `import { c } from "../index.ts";`, "may not import ../index.ts"],
      ["src/controllers/words.ts", `import { b } from "./a/b.ts";`, "may not import ./a/b.ts"],
      [
        "src/controllers/a.ts",
        `import { defineController } from "#runtime";`,
        "outside the folder",
      ],
    ],
    good: [
      ["src/controllers/a/b.ts", `import type { IssueLeaf } from "../words.ts";`],
      ["src/controllers/a/b.ts", `import { defineController } from "#runtime";`],
      ["src/controllers/index.ts", `export { b } from "./a/b.ts";`],
      ["src/controllers/a/index.ts", `export { b } from "./b.ts";`],
      ["src/resources/a/b.ts", `import { c } from "./c.ts";`],
    ],
  },

  "time and chance come in by their seams": {
    rule: asksNoClockNorDice,
    sources: src.filter(({ path }) => !(path in seams)),
    bad: [
      ["src/a.ts", `Date.now();`, "a.ts:1 uses Date.now"],
      ["src/a.ts", `const now = Date.now;`, "uses Date.now"],
      ["src/a.ts", `globalThis.Date.now();`, "uses Date.now"],
      ["src/a.ts", `new Date();`, "uses new Date()"],
      ["src/a.ts", `new Date;`, "uses new Date()"],
      ["src/a.ts", `Date();`, "uses Date()"],
      ["src/a.ts", `setTimeout(ring, 10);`, "uses setTimeout"],
      ["src/a.ts", `const timers = { setInterval };`, "uses setInterval"],
      ["src/a.ts", `const alarm = { ring: setTimeout };`, "uses setTimeout"],
      ["src/a.ts", `class A { ring = setTimeout; }`, "uses setTimeout"],
      ["src/a.ts", `globalThis.setImmediate(ring);`, "uses setImmediate"],
      ["src/a.ts", `setTimeout.call(null, ring);`, "uses setTimeout"],
      ["src/a.ts", `Math.random();`, "uses Math.random"],
      ["src/a.ts", `performance.now();`, "uses performance.now"],
      ["src/a.ts", `process.hrtime.bigint();`, "uses process.hrtime"],
      ["src/a.ts", `AbortSignal.timeout(5);`, "uses AbortSignal.timeout"],
      ["src/a.ts", `crypto.randomBytes(8);`, "uses crypto.randomBytes"],
      ["src/a.ts", `globalThis.crypto.randomUUID();`, "uses crypto.randomUUID"],
      ["src/a.ts", `import { randomBytes } from "node:crypto";`, "takes randomBytes"],
      ["src/a.ts", `import { randomInt as dice } from "crypto";`, "takes randomInt"],
      ["src/a.ts", `import { setTimeout } from "node:timers/promises";`, "takes setTimeout"],
      ["src/a.ts", `import timers from "node:timers";`, "takes default"],
      ["src/a.ts", `import { map, timer } from "rxjs";`, "takes timer from rxjs"],
    ],
    good: [
      ["src/a.ts", `new Date(0); new Date(clock.now()); Date.parse("2030-01-01");`],
      ["src/a.ts", `socket.setTimeout(5); clock.now(); random.bytes(8); clearTimeout(timer);`],
      ["src/a.ts", `class A { setTimeout() {} } interface B { setTimeout(): void }`],
      ["src/a.ts", `type Timer = ReturnType<typeof setTimeout>; const a = { setTimeout: ring };`],
      ["src/a.ts", `import { createHash } from "node:crypto"; import { map } from "rxjs";`],
      ["src/a.ts", `// Date.now() and "Math.random()"\nconst text = "new Date() or Date.now()";`],
    ],
  },

  "a file is read in one sitting": {
    rule: isOfOneSitting,
    sources: [...src, ...tests],
    bad: [["src/a.ts", lines(FILE_LINES_MAX + 1), "src/a.ts has 401 lines"]],
    good: [["src/a.ts", lines(FILE_LINES_MAX)]],
  },

  "a function fits on a screen": {
    rule: hasShortFunctions,
    sources: src,
    bad: [
      [
        "src/a.ts",
        `\nfunction a() {\n${lines(FUNCTION_LINES_MAX - 1)}}`,
        "a.ts:2 has a function of 61",
      ],
      ["src/a.ts", `const a = () => {\n${lines(FUNCTION_LINES_MAX)}};`, "a function of 62 lines"],
      ["src/a.ts", `class A {\n  a() {\n${lines(FUNCTION_LINES_MAX)}}\n}`, "a.ts:2 has a function"],
      [
        "src/a.ts",
        `const a = () => define({ b() {\n${lines(FUNCTION_LINES_MAX)}} });`,
        "a.ts:1 has",
      ],
    ],
    good: [
      ["src/a.ts", `/**\n${lines(9)}*/\nfunction a() {\n${lines(FUNCTION_LINES_MAX - 2)}}`],
      ["src/a.ts", `const a = () =>\n  define({\n${lines(FUNCTION_LINES_MAX)}});`],
    ],
  },

  "a file is named after what is in it": {
    rule: hasTellingName,
    sources: [...src, ...tests],
    bad: [
      ["src/pki/utils.ts", ``, "is called utils"],
      ["src/pki/der-helpers.ts", ``, "is called der-helpers"],
      ["src/common/der.ts", ``, "is called common"],
      ["src/pki/key-manager.ts", ``, "is called key-manager"],
      ["test/misc.test.ts", ``, "is called misc"],
    ],
    good: [["src/pki/common-name.ts", ``]],
  },

  "exports are named and listed by hand": {
    rule: listsItsExports,
    sources: src,
    bad: [
      ["src/a.ts", `export default {};`, "a.ts:1 has a default export"],
      ["src/a.ts", `export default function a() {}`, "has a default export"],
      ["src/a.ts", `const a = 1; export { a as default };`, "has a default export"],
      ["src/a.ts", `export * from "#pki";`, "exports all of #pki"],
      ["src/runtime/index.ts", `export * from "./engine/index.ts";`, "exports all of ./engine"],
      ["src/a.ts", `export type * from "../b/c.ts";`, "exports all of ../b/c.ts"],
    ],
    good: [
      ["src/a.ts", `export { a } from "./b/c.ts"; export const b = { default: 1 };`],
      ["src/a.ts", `export * from "./b.ts";`],
    ],
  },
};

describe.each(Object.entries(rules))("%s", (_, { rule, sources, bad, good }) => {
  test("everywhere", () => {
    expect(sources).not.toEqual([]);
    expect(sources.flatMap(rule)).toEqual([]);
  });

  test.each(bad)("sample %# is caught, of %s", (path, text, complaint) => {
    expect(rule(parse(path, text))).toEqual([expect.stringContaining(complaint)]);
  });

  test.each(good)("sample %# is let pass, of %s", (path, text) => {
    expect(rule(parse(path, text))).toEqual([]);
  });
});

test("better-sqlite3 is imported in one file", () => {
  expect(doorsTo("better-sqlite3", src)).toHaveLength(1);
  const doors = [
    parse("src/a.ts", `import Database from "better-sqlite3";`),
    parse("src/b.ts", `import type { Database } from "better-sqlite3";`),
    parse("src/c.ts", `// import Database from "better-sqlite3";`),
  ];
  expect(doorsTo("better-sqlite3", doors)).toEqual(["src/a.ts", "src/b.ts"]);
});

test.each(Object.keys(seams))("%s is still a seam", (path) => {
  const seam = src.filter((source) => source.path === path);
  expect(seam.flatMap(asksNoClockNorDice)).not.toEqual([]);
});

test("pki has the words of time, chance and failure from the runtime", () => {
  expect([...pkiWords]).toEqual(expect.arrayContaining(["Clock", "Random", "days", "CodedError"]));
  expect([...pkiWords]).not.toContain("defineResource");
});

test("nothing to look at is a failure", () => {
  const empty = mkdtempSync(join(tmpdir(), "trustplane-tidy-"));
  expect(() => readSources(empty, ["."])).toThrow("no TypeScript file");
  expect(() => readSources(empty, ["src"])).toThrow("ENOENT");
  rmdirSync(empty);
});
