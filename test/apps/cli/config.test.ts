/** `trustplane config`, offline (talos-pki.md §3.6). */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at } from "#runtime";
import { bench, type Bench } from "./harness.ts";

const demo = await readFile(
  join(import.meta.dirname, "../../fixtures/talos-demo/talosconfig"),
  "utf8",
);

let here: Bench;
beforeEach(async () => {
  here = await bench(at("2026-11-23T12:00:00Z"));
});
afterEach(() => here[Symbol.asyncDispose]());

const withTalosconfig = (...argv: string[]) => here.run("config", ...argv, "--talosconfig", "tc");

describe("where the talosconfig is found", () => {
  /** Puts the demo there, its context renamed, so that it can be told apart. */
  async function put(path: string, name: string): Promise<void> {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, demo.replaceAll("demo", name));
  }
  const current = async (env: Record<string, string>, ...argv: string[]) =>
    (await here.runWith({ env }, "config", "info", ...argv)).stdout.split("\n")[0]?.slice(21);

  test("the flag, the variable, the directory, the home, in that order", async () => {
    await put(join(here.home, ".talos/config"), "home");
    expect(await current({})).toBe("home");
    await put(join(here.cwd, ".trustplane/talosconfig"), "directory");
    expect(await current({})).toBe("directory");
    await put(join(here.cwd, "variable.yaml"), "variable");
    expect(await current({ TALOSCONFIG: "variable.yaml" })).toBe("variable");
    expect(await current({ TALOSCONFIG: "" })).toBe("directory");
    await put(join(here.cwd, "flag.yaml"), "flag");
    expect(await current({ TALOSCONFIG: "variable.yaml" }, "--talosconfig", "flag.yaml")).toBe(
      "flag",
    );
  });

  test("none: the error names all four places and what to do", async () => {
    const { status, stderr } = await here.run("config", "info");
    expect(status).toBe(1);
    for (const part of [
      "--talosconfig",
      "TALOSCONFIG",
      "./.trustplane/talosconfig",
      "~/.talos/config",
    ])
      expect(stderr).toContain(part);
    expect(stderr).toContain("trustplane up");
  });

  test("one that is named and not there is an error, and the others are not asked", async () => {
    await put(join(here.home, ".talos/config"), "home");
    const { status, stderr } = await withTalosconfig("info");
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'error: cannot read "tc": no such file or directory\n',
    });
  });

  test("a broken one is an error that names the file", async () => {
    await here.write("tc", "contexts: [");
    const { status, stderr } = await withTalosconfig("info");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: .*\btc\b/);
    expect(stderr).not.toContain("ERR_INTERNAL");
  });
});

describe("info", () => {
  beforeEach(() => here.write("tc", demo));

  test("text", async () => {
    const { status, stdout, stderr } = await withTalosconfig("info");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(`Current context:     demo
Nodes:               not defined
Endpoints:           not defined
Roles:               os:admin
Certificate expires: 1 year from now (2027-11-23)
`);
  });

  test("json and yaml have the same keys", async () => {
    await withTalosconfig("endpoint", "192.0.2.1", "192.0.2.2");
    expect((await withTalosconfig("info", "-o", "json")).stdout).toBe(`{
    "context": "demo",
    "nodes": [],
    "endpoints": [
        "192.0.2.1",
        "192.0.2.2"
    ],
    "roles": [
        "os:admin"
    ],
    "certTTL": "1 year from now",
    "certNotAfter": "2027-11-23"
}
`);
    expect((await withTalosconfig("info", "-o", "yaml")).stdout).toBe(`context: demo
nodes: []
endpoints:
    - 192.0.2.1
    - 192.0.2.2
roles:
    - os:admin
certTTL: 1 year from now
certNotAfter: 2027-11-23
`);
  });

  test("a context without a certificate has no roles and no end", async () => {
    await here.write("tc", "context: a\ncontexts:\n    a:\n        nodes: [n1, n2]\n");
    expect((await withTalosconfig("info")).stdout).toBe(
      "Current context:     a\nNodes:               n1, n2\nEndpoints:           not defined\n",
    );
  });

  test("--context looks at another one, and a wrong one is an error", async () => {
    expect((await withTalosconfig("info", "--context", "demo")).status).toBe(0);
    expect(await withTalosconfig("info", "--context", "other")).toEqual({
      status: 1,
      stdout: "",
      stderr:
        'error: context "other" is not defined in tc\nhint: trustplane config contexts lists them\n',
    });
  });
});

const three = `context: b
contexts:
    b:
        endpoints: [192.0.2.1, 192.0.2.2]
        nodes: [n1, n2, n3, n4]
    a:
        endpoints: []
    lab-1:
        endpoints: [lab]
        nodes: [x]
`;

describe("contexts", () => {
  beforeEach(() => here.write("tc", three));

  test("contexts: the current one is marked, a long list of nodes is cut", async () => {
    expect((await withTalosconfig("contexts")).stdout).toBe(
      [
        "CURRENT   NAME    ENDPOINTS             NODES",
        "          a                             ",
        "*         b       192.0.2.1,192.0.2.2   n1,n2,n3...",
        "          lab-1   lab                   x",
        "",
      ].join("\n"),
    );
  });

  test("context switches, endpoint and node set, and nothing else changes", async () => {
    expect(await withTalosconfig("context", "a")).toEqual({ status: 0, stdout: "", stderr: "" });
    await withTalosconfig("endpoints", "192.0.2.9");
    await withTalosconfig("node", "n8", "n9");
    expect((await withTalosconfig("contexts")).stdout).toBe(
      [
        "CURRENT   NAME    ENDPOINTS             NODES",
        "*         a       192.0.2.9             n8,n9",
        "          b       192.0.2.1,192.0.2.2   n1,n2,n3...",
        "          lab-1   lab                   x",
        "",
      ].join("\n"),
    );
    await withTalosconfig("nodes", "--context", "b");
    expect((await withTalosconfig("info", "--context", "b")).stdout).toContain(
      "Nodes:               not defined",
    );
    expect(await here.mode("tc")).toBe(0o600);
  });

  test("a context that is not there is refused, and the file is as it was", async () => {
    const { status, stderr } = await withTalosconfig("context", "c");
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        'error: context "c" is not defined in tc\nhint: trustplane config contexts lists them\n',
    });
    expect(await here.read("tc")).toBe(three);
  });
});

describe("add and merge", () => {
  test("a first context goes to ~/.talos/config, for its owner only", async () => {
    expect((await here.run("config", "add", "lab")).status).toBe(0);
    expect(await readFile(join(here.home, ".talos/config"), "utf8")).toContain("lab:");
  });

  test("a certificate and its key come together, from files", async () => {
    await here.write("tc", demo);
    for (const name of ["ca", "crt", "key"]) await here.write(`my.${name}`, field(demo, name));
    const both = ["--crt", "my.crt", "--key", "my.key"];
    expect((await withTalosconfig("add", "lab", "--ca", "my.ca", ...both)).status).toBe(0);
    const { stdout } = await withTalosconfig("info", "--context", "lab");
    expect(stdout).toContain("Roles:               os:admin");
    expect((await withTalosconfig("info")).stdout).toContain("Current context:     demo");
    expect(await withTalosconfig("add", "half", "--crt", "my.crt")).toMatchObject({
      status: 2,
      stderr: "error: if either the 'crt' or 'key' flag is specified, both are required\n",
    });
    expect((await withTalosconfig("add", "lab")).stderr).toContain('context "lab" exists already');
  });

  test("a key that is not the certificate's is refused, and so is what is no key", async () => {
    await here.write("tc", demo);
    await here.write("my.crt", field(demo, "crt"));
    expect((await here.run("gen", "key", "--name", "other")).status).toBe(0);
    const add = (key: string) => withTalosconfig("add", "lab", "--crt", "my.crt", "--key", key);
    expect(await add("other.key")).toEqual({
      status: 1,
      stdout: "",
      stderr: 'error: "other.key" is not the key of the certificate in "my.crt"\n',
    });
    expect(await add("my.crt")).toMatchObject({ status: 1, stdout: "" });
    expect(await here.read("tc")).toBe(demo);
  });

  test("merge renames what is taken, says so, and switches", async () => {
    await here.write("tc", demo);
    await here.write("other", demo);
    expect(await withTalosconfig("merge", "other")).toEqual({
      status: 0,
      stdout: 'renamed talosconfig context "demo" -> "demo-1"\n',
      stderr: 'the current context is "demo-1" now\n',
    });
    expect((await withTalosconfig("info")).stdout).toContain("Current context:     demo-1");
    await withTalosconfig("merge", "other");
    expect((await withTalosconfig("contexts")).stdout).toMatch(/^\* +demo-2 /m);
  });

  test("merge into nothing begins a talosconfig with the same contexts", async () => {
    await here.write("other", demo);
    expect((await here.run("config", "merge", "other")).status).toBe(0);
    expect((await here.run("config", "info")).stdout).toContain("Current context:     demo\n");
  });

  const field = (talosconfig: string, name: string): string =>
    Buffer.from(new RegExp(` ${name}: (\\S+)`).exec(talosconfig)?.[1] ?? "", "base64").toString();
});

describe("remove", () => {
  beforeEach(() => here.write("tc", three));
  const names = async () =>
    [...(await here.read("tc")).matchAll(/^ {4}(\S+):/gm)].map(([, name]) => name);

  test("takes globs, and skips the current context with a message", async () => {
    const { status, stderr } = await withTalosconfig("remove", "l?b-*", "b", "-y");
    expect(status).toBe(0);
    expect(stderr).toContain('skipping removal of current context "b"');
    expect(await names()).toEqual(["a", "b"]);
  });

  test("--dry-run only says what it would do", async () => {
    const { stderr } = await withTalosconfig("remove", "*", "--dry-run");
    expect(stderr).toContain('would remove context "lab-1"');
    expect(await here.read("tc")).toBe(three);
  });

  test("without -y it asks at a terminal, and elsewhere refuses", async () => {
    const remove = ["config", "remove", "a", "--talosconfig", "tc"];
    expect(await here.run(...remove)).toMatchObject({ status: 2 });
    expect(await names()).toContain("a");
    await here.runWith({ terminal: true, stdin: "n\n" }, ...remove);
    expect(await names()).toContain("a");
    await here.runWith({ terminal: true, stdin: "y\n" }, ...remove);
    expect(await names()).not.toContain("a");
  });

  test("a pattern that matches nothing is an error", async () => {
    expect((await withTalosconfig("remove", "zzz", "-y")).stderr).toContain(
      "no context matches zzz",
    );
  });
});
