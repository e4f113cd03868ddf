import { expect, test } from "vitest";
import { applyConfigPatches, readConfigPatch } from "#config";

const patched = (config: string, ...patches: string[]) =>
  applyConfigPatches(
    config,
    patches.map((text) => readConfigPatch(text)),
  );

const CONFIG = `version: v1alpha1
machine:
    token: "0123"
    mode: 0644
    debug: True
    certSANs:
        - a
        - b
`;

test("operations in JSON are applied, and what they leave alone stays as written", () => {
  const patch = `[
    {"op": "add", "path": "/machine/certSANs/-", "value": "c"},
    {"op": "replace", "path": "/machine/certSANs/0", "value": "A: a"},
    {"op": "test", "path": "/machine/token", "value": "0123"},
    {"op": "copy", "from": "/machine/mode", "path": "/machine/other~1mode"},
    {"op": "move", "from": "/machine/debug", "path": "/debug"},
    {"op": "add", "path": "/machine/install", "value": {"wipe": false, "size": 7, "none": null}}
  ]`;
  expect(patched(CONFIG, patch)).toBe(`version: v1alpha1
machine:
    token: "0123"
    mode: 0644
    certSANs:
        - 'A: a'
        - b
        - c
    other/mode: 0644
    install:
        wipe: false
        size: 7
        none: null
debug: True
`);
});

test("operations in YAML are the same, and may follow a strategic merge", () => {
  const result = patched(
    CONFIG,
    "machine: {certSANs: [c]}",
    "- op: remove\n  path: /machine/certSANs/0\n",
    "- {op: remove, path: /machine/certSANs/0}\n",
  );
  expect(result).toContain("certSANs:\n        - c\n");
});

test("a configuration of several documents takes none", () => {
  expect(() => patched(`${CONFIG}---\napiVersion: v1alpha1\nkind: HostnameConfig\n`, "[]")).toThrow(
    "JSON6902 patches are not supported for multi-document machine configuration",
  );
});

test.each([
  ["remove", "/machine/none", "the configuration has nothing there"],
  ["remove", "/machine/certSANs/9", "the configuration has nothing there"],
  ["test", "/machine/token", "the configuration has another value there"],
])("one that does not apply is named, and no value of a secret: %s %s", (op, path, problem) => {
  const apply = () => patched(CONFIG, JSON.stringify([{ op, path, value: "s3cret" }]));
  expect(apply).toThrow(`operation 1 of the patch, ${op} ${path}: ${problem}`);
  expect(apply).not.toThrow(/0123|s3cret/);
});

test.each([
  ['[{"op": "jump", "path": "/a"}]', "the patch: operation 1 is not one of RFC 6902: op is"],
  ['[{"op": "remove", "path": "/a"}, {"op": "add"}]', "operation 2 is not one of RFC 6902: path"],
  ['[{"op": "remove", "path": "a"}]', "operation 1 is not one of RFC 6902: path"],
  ["[7]", "operation 1 is not one of RFC 6902"],
])("what is no operation is refused: %s", (patch, message) => {
  expect(() => readConfigPatch(patch)).toThrow(message);
});

test.each([
  ["/machine/__proto__/token", "__proto__"],
  ["/constructor/prototype/token", "constructor"],
  ["/machine/prototype", "prototype"],
])("a step that would change what is above it is refused: %s", (path, step) => {
  const message = `the patch: operation 2 names ${step}, which a JSON patch cannot reach`;
  for (const operation of [
    { op: "add", path, value: "x" },
    { op: "copy", from: path, path: "/a" },
    { op: "move", from: "/machine/token", path },
  ])
    expect(() =>
      readConfigPatch(JSON.stringify([{ op: "remove", path: "/a" }, operation])),
    ).toThrow(message);
});

test.each(["/machine/a~2", "/machine/a~", "/a~/b"])(
  "a ~ that escapes nothing is refused: %s",
  (path) => {
    expect(() => readConfigPatch(JSON.stringify([{ op: "remove", path }]))).toThrow(
      "operation 1 is not one of RFC 6902: path",
    );
  },
);

test("a patch that leaves no mapping is refused", () => {
  expect(() => patched(CONFIG, '[{"op": "replace", "path": "", "value": 7}]')).toThrow(
    /no mapping/,
  );
});
