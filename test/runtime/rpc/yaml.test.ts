import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { yamlText } from "#runtime/rpc";

test("every reader gets back the value that was written", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({
      unit: fc.constantFrom("a", "-", ":", " ", "\n", "\t", "#", "0", ".", "\u0085", "'"),
    }),
    fc.constantFrom("", "yes", "~", "0x1F", "0123", "1:30", "1_000", "1e3", ".5", "<<", "=", "no"),
    fc.constantFrom(
      "2026-11-20T10:00:00Z",
      "2026-11-20",
      "---",
      "...",
      "- a",
      "|",
      "a\n\n",
      " a\nb",
    ),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, tie("leaf"), tie("list"), tie("map")),
    leaf: fc.oneof(
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
    ),
    list: fc.array(tie("tree"), { maxLength: 4 }),
    map: fc.dictionary(
      text.filter((key) => key !== "__proto__"),
      tie("tree"),
      { maxKeys: 4, noNullPrototype: true },
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const written = yamlText(value);
      const same = JSON.parse(JSON.stringify(value)) as unknown;
      expect(parse(written), written).toEqual(same);
      expect(parse(written, { version: "1.1" }), written).toEqual(same);
    }),
    { numRuns: 2000 },
  );
});

test("it is laid out as Talos prints it", () => {
  const value = {
    subject: "O = os:admin",
    notAfter: "2026-11-21T10:00:00Z",
    lifetime: "24h0m0s",
    names: ["node-1", "10.5.0.2", "::1"],
    parts: [
      { name: "a", ready: true },
      { name: "b", ready: false, more: [1, null] },
    ],
    empty: {},
    none: [],
    text: "one\n\n  two\n",
  };
  expect(yamlText(value)).toBe(`subject: O = os:admin
notAfter: "2026-11-21T10:00:00Z"
lifetime: 24h0m0s
names:
    - node-1
    - 10.5.0.2
    - "::1"
parts:
    - name: a
      ready: true
    - name: b
      ready: false
      more:
        - 1
        - null
empty: {}
none: []
text: |
    one

      two
`);
});

test("it is never empty", () => {
  expect([{}, [], "", null].map(yamlText)).toEqual(["{}\n", "[]\n", '""\n', "null\n"]);
});

test("a text that is a document of its own stays one string", () => {
  const config = "---\nversion: v1alpha1\nmachine:\n    type: worker\n---\nkind: HostnameConfig\n";
  expect(yamlText(config)).toMatch(/^\|\n {4}---\n {4}version: v1alpha1\n/);
  expect(parse(yamlText(config))).toBe(config);
});
