/** What the program says about itself, and about being called wrongly. */
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
    [["get"], "error: missing required argument 'kind'\n"],
    [["get", "a", "b", "c"], "error: too many arguments for 'get'. Expected 2 arguments but got 3"],
    [["get", "rd", "-o", "xml"], "Allowed choices are table, yaml, json."],
    [["gen", "secret"], "error: unknown command 'secret'\n(Did you mean secrets?)\n"],
    [["gen", "config", "name"], "error: missing required argument 'endpoint'\n"],
    [["gen", "config", "n", "e", "-t", "workers"], "controlplane, worker, talosconfig."],
    [["gen", "ca"], "error: required option '--organization <org>' not specified\n"],
    [["gen", "ca", "--organization", "x", "--hours", "0"], "Not a positive number of hours."],
    [["gen", "csr", "--key", "k", "--ip", "300.1.1.1"], "Not an IP address."],
    [["gen", "keypair", "--organization", "x", "--ip", "1.2.3"], "invalid IP: 1.2.3"],
    [["gen", "secrets", "-p", "a", "--from-controlplane-config", "b"], "cannot be used with"],
    [["apply-config"], "error: required option '-f, --file <file>' not specified\n"],
    [["apply-config", "-f", "x", "-m", "reboot"], "Allowed choices are auto, no-reboot."],
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
    [["config", "new", "--roles", "root"], "unknown roles: root"],
    [["config", "new", "--roles", ","], "--roles names no role"],
    [["config", "endpoint", "bad:port:x"], '"bad:port:x" is not an endpoint; endpoints look like'],
    [["config", "endpoint", "192.0.2.1", "http://foo"], "its scheme is not https"],
    [["config", "endpoint", "a_b!"], "is neither a DNS name nor an address"],
    [["get", "rd", "-e", "bad:port:x"], '"bad:port:x" is not an endpoint'],
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

test("version --client asks nobody", async () => {
  const { status, stdout } = await here.run("version", "--client");
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^Client:\n\tTag: {9}v\d+\.\d+\.\d+\S*\n\tSHA: {9}\S*\n\tBuilt: {7}\S*\n\tGo version: {2}node v\S+\n\tOS\/Arch: {5}\w+\/\w+\n$/,
  );
  expect((await here.run("version", "--client", "--short")).stdout).toMatch(/^Client v\d/);
});
