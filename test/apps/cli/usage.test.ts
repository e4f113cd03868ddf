/** What the program says about itself, and about being called wrongly. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at } from "#runtime";
import { bench, type Bench } from "./harness.ts";

let here: Bench;
beforeEach(async () => {
  here = await bench(at("2030-01-01"));
});
afterEach(() => here[Symbol.asyncDispose]());

const verbs = [
  "up",
  "get",
  "apply-config",
  "config info",
  "config contexts",
  "config context",
  "config endpoint",
  "config node",
  "config add",
  "config merge",
  "config new",
  "config remove",
  "gen secrets",
  "gen config",
  "gen ca",
  "gen key",
  "gen csr",
  "gen crt",
  "gen keypair",
  "validate",
  "service",
  "logs",
  "events",
  "reboot",
  "shutdown",
  "version",
].map((verb) => verb.split(" "));

test("--help lists every verb and the exit statuses", async () => {
  const { status, stdout, stderr } = await here.run("--help");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  for (const [verb = ""] of verbs) expect(stdout).toMatch(new RegExp(`^  ${verb}\\b`, "m"));
  expect(stdout).toContain("Exit status:");
});

test.each(verbs)("%s %s: --help shows an example that calls it", async (...verb) => {
  const { status, stdout, stderr } = await here.run(...verb, "--help");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain(`Usage: trustplane ${verb.join(" ")}`);
  expect(stdout).toMatch(new RegExp(`Examples:\n(.*\n)*  \\$ trustplane ${verb.join(" ")}\\b`));
});

describe("wrong usage has status 2, touches nothing, and says what was meant", () => {
  test.each([
    [["gte", "rd"], "error: unknown command 'gte'\n(Did you mean get?)\n"],
    [["get", "rd", "--watchh"], "error: unknown option '--watchh'\n(Did you mean --watch?)\n"],
    [
      ["get"],
      "error: missing required argument 'kind'\nhint: trustplane get --help shows how it is called\n",
    ],
    [["help", "nonsense"], "error: unknown command 'nonsense'\n"],
    [
      ["help", "gen", "crtt"],
      "error: unknown command 'crtt'\n(Did you mean crt?)\nhint: trustplane",
    ],
    [
      ["gen", "config", "https://192.0.2.10:6443", "c"],
      "NAME first, then ENDPOINT, as in trustplane gen config c https://192.0.2.10:6443\n",
    ],
    [
      ["gen", "config", "https://192.0.2.10:6443"],
      "'endpoint'\nhint: trustplane gen config --help shows how it is called\n",
    ],
    [["get", "a", "b", "c"], "error: too many arguments for 'get'. Expected 2 arguments but got 3"],
    [["get", "rd", "-o", "xml"], "Allowed choices are table, yaml, json, jsonpath=TEMPLATE."],
    [["gen", "secret"], "error: unknown command 'secret'\n(Did you mean secrets?)\n"],
    [["gen", "config", "name"], "error: missing required argument 'endpoint'\n"],
    [["gen", "config", "n", "e", "-t", "workers"], "controlplane, worker, talosconfig."],
    [["gen", "ca"], "error: required option '--organization <org>' not specified\n"],
    [["gen", "ca", "--organization", "x", "--hours", "0"], "Not a positive number of hours."],
    [["gen", "csr", "--key", "k", "--ip", "300.1.1.1"], "Not an IP address."],
    [["gen", "keypair", "--organization", "x", "--ip", "1.2.3"], "invalid IP: 1.2.3"],
    [["gen", "secrets", "-p", "a", "--from-controlplane-config", "b"], "cannot be used with"],
    [["apply-config"], "error: required option '-f, --file <file>' not specified\n"],
    [
      ["apply-config", "-f", "x", "-m", "reboot"],
      "Allowed choices are auto, no-reboot, staged, try.",
    ],
    [["validate", "-c", "x"], "error: required option '-m, --mode <mode>' not specified\n"],
    [["up", "--api-port", "65536"], "Not a port, 1 to 65535."],
    [["up", "--api-address", "localhost"], "Not an IP address."],
    [
      ["up", "--hostname", "bad host"],
      '--hostname "bad host" is no hostname: it is not a DNS name',
    ],
    [["up", "--hostname", "-x"], "it is not a DNS name"],
    [["up", "--hostname", ""], "it is empty"],
    [["up", "--config-overwrite"], "--config-overwrite needs --config"],
    [["up", "--time-source", "ntp"], "Allowed choices are auto, none."],
    [["gen", "ca", "--organization", "a/b"], "A file's name has no /"],
    [["gen", "keypair", "--organization", "../b"], "A file's name has no /"],
    [["gen", "key", "--name", "a\\b"], "A file's name has no /"],
    [["gen", "crt", "--name", "", "--ca", "a", "--csr", "b"], "It is empty."],
    [["gen", "csr", "--key", "k", "--ip", "::1", "--roles", "root"], "unknown roles: root"],
    [["gen", "secrets", "--talos-version", "latest"], "write it as v1.13"],
    [["gen", "config", "n", "http://192.0.2.1"], "its scheme is not https"],
    [["gen", "config", "n", "192.0.2.1"], "try https://192.0.2.1:6443"],
    [["gen", "config", "n", "https://a", "--additional-sans", "a b"], '"a b" is neither'],
    [["gen", "config", "n", "https://a", "--talos-version", "1.13"], "write it as v1.13"],
    [["gen", "config", "n", "https://a", "-o", "-"], "the standard output takes one type"],
    [["gen", "config", "n", "https://a", "-t", ","], "It names no type."],
    [
      ["gen", "config", "n", "https://a_b..c:6443"],
      '"a_b..c" is neither a DNS name nor an address',
    ],
    [["gen", "config", "n", "a:6443"], "the scheme is missing; try https://a:6443"],
    [["gen", "config", "", "https://a"], "the name of the cluster is empty"],
    [["gen", "config", "n", "https://a", "--dns-domain", "a b"], '"a b" is not a DNS domain'],
    [["gen", "config", "n", "https://a", "--kubernetes-version", "1"], "write it as 1.36.2"],
    [["gen", "secrets", "-o", ""], "It is empty."],
    [["config", "new", ""], "It is empty."],
    [["up", "--api-address", "fe80::1%eth0"], "Not an IP address."],
    [["up", "--adopt=perhaps"], "argument 'perhaps' is invalid. It is true or false."],
    [["up", "--config-overwrite=true"], "--config-overwrite needs --config"],
    [["validate", "--strict=yes", "-c", "x", "-m", "metal"], "It is true or false."],
    [["config", "new", "--roles", "root"], "unknown roles: root"],
    [["config", "new", "--roles", ","], "--roles names no role"],
    [["config", "endpoint", "bad:port:x"], '"bad:port:x" is not an endpoint; endpoints look like'],
    [["config", "endpoint", "192.0.2.1", "http://foo"], "its scheme is not https"],
    [["config", "endpoint", "a_b!"], "is neither a DNS name nor an address"],
    [["get", "rd", "-e", "bad:port:x"], '"bad:port:x" is not an endpoint'],
    [["get", "rd", "-n", "a b"], '"a b" is not a node'],
    [["config", "node", "ä"], '"ä" is not a node'],
    [["config", "new", "--crt-ttl", "1 year"], "Not a positive duration"],
    [["up", "--config"], "error: option '--config <file>' argument missing\n"],
  ])("%j", async (argv, message) => {
    const { status, stdout, stderr } = await here.run(...argv);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("generating");
    expect(await here.files()).toEqual([]);
  });

  test("a verb is missing: the help is on stderr", async () => {
    for (const argv of [[], ["gen"], ["config"]]) {
      const { status, stdout, stderr } = await here.run(...argv);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(/^Usage: trustplane/);
    }
  });
});

describe("flags with = before their value, as Go has them", () => {
  const short = /^Client v\S+\n$/;
  const long = /^Client:\n/;
  const CLIENT = ["version", "--client"];

  test.each([
    [["--short=true"], short],
    [["--short=1"], short],
    [["--short=T"], short],
    [["--short=false"], long],
    [["--short", "--short=false"], long],
    [["--short=false", "--short"], short],
  ])("%j", async (flags, printed) => {
    const { status, stdout } = await here.run(...CLIENT, ...flags);
    expect(status).toBe(0);
    expect(stdout).toMatch(printed);
  });

  test("a flag before the verb, a short one, and one with a value", async () => {
    await here.write("a.key", "mine");
    const key = ["key", "--name=a"];
    expect(await here.run("gen", "--force=false", ...key)).toMatchObject({ status: 1 });
    expect(await here.run("gen", "-f=false", ...key)).toMatchObject({ status: 1 });
    expect(await here.read("a.key")).toBe("mine");
    expect(await here.run("gen", "--force=true", ...key)).toMatchObject({ status: 0 });
    const secrets = ["secrets", "--talos-version=v1.6", "-o=b.yaml"];
    expect(await here.run("gen", ...secrets)).toMatchObject({ status: 0 });
    expect(await here.files()).toEqual(["a.key", "b.yaml"]);
  });

  test("what follows -- is no flag, and help shows the flags as they were", async () => {
    await here.write("tc", "context: a\ncontexts:\n    a:\n        endpoints: []\n");
    const world = { env: { TALOSCONFIG: "tc" } };
    const remove = ["config", "remove", "--dry-run", "--", "--noconfirm=true"];
    const { stderr } = await here.runWith(world, ...remove);
    expect(stderr).toContain("no context matches --noconfirm=true");
    expect((await here.run("config", "remove", "--help")).stdout).not.toContain("--no-");
  });
});

test("help shows the help of a verb, however deep it stands, and of all where none is named", async () => {
  const help = async (...words: string[]) => {
    const { status, stdout, stderr } = await here.run(...words);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  };
  const crt = await help("gen", "crt", "--help");
  expect(crt).toContain("Usage: trustplane gen crt");
  expect(await help("help", "gen", "crt")).toBe(crt);
  expect(await help("gen", "help", "crt")).toBe(crt);
  expect(await help("help", "gen")).toBe(await help("gen", "--help"));
  expect(await help("help", "apply")).toBe(await help("apply-config", "--help"));
  expect(await help("help", "get", "rd")).toBe(await help("get", "--help"));
  expect(await help("help")).toBe(await help("--help"));
});

test("up --help says what is there by default, and what may be repeated", async () => {
  const stdout = (await here.run("up", "--help")).stdout.replaceAll(/\s+/g, " ");
  expect(stdout).toMatch(/--config <file> machine configuration [^-]*; may be repeated/);
  expect(stdout).toMatch(/--time-source <source> [^-]*\(default: auto; none for a demo/);
});

test("--version and -v are version --client", async () => {
  const version = await here.run("version", "--client");
  expect(version.stdout).toContain("Client:\n");
  for (const flag of ["--version", "-v"]) expect(await here.run(flag)).toEqual(version);
  expect((await here.run("--version", "--short")).stdout).toMatch(/^Client v\d/);
});

test("version --client asks nobody", async () => {
  const { status, stdout } = await here.run("version", "--client");
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^Client:\n\tTag: {9}v\d+\.\d+\.\d+\S*\n\tSHA: {9}\S*\n\tBuilt: {7}\S*\n\tGo version: {2}node v\S+\n\tOS\/Arch: {5}\w+\/\w+\n$/,
  );
  expect((await here.run("version", "--client", "--short")).stdout).toMatch(/^Client v\d/);
});

describe("up --strict", () => {
  const config = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");
  const up = ["up", "--config", "c.yaml", "--time-source", "none"];

  beforeEach(async () => {
    const text = await readFile(config, "utf8");
    await here.write("c.yaml", text.replace(/^ {4}token: .*$/m, "    token: odd"));
  });

  test("a warning about the configuration is an error, before anything is written", async () => {
    const { status, stdout, stderr } = await here.run(...up, "--strict");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("c.yaml:6: machine.token: is not of the form of a token");
    expect(await here.files()).toEqual(["c.yaml"]);
  });

  test("a configuration that is not to be applied is not judged", async () => {
    await mkdir(join(here.cwd, ".trustplane"));
    await here.write(".trustplane/state.db", "not a database, so the start goes no further\n");
    expect((await here.run(...up, "--strict")).stderr).not.toContain("machine.token");
    const overwriting = await here.run(...up, "--strict", "--config-overwrite");
    expect(overwriting.stderr).toContain("machine.token");
  });
});
