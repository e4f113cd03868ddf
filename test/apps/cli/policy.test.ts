/** `policy` without a node: the default policy, and what a policy makes of a file. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { at } from "#runtime";
import { bench, type Bench } from "./harness.ts";

let here: Bench;
beforeEach(async () => {
  here = await bench(at("2030-01-01"));
  for (const gen of [
    ["key", "--name", "k"],
    ["ca", "--organization", "talos"],
    ["csr", "--key", "k.key", "--ip", "192.0.2.7", "--roles", "os:reader"],
    ["crt", "--ca", "talos", "--csr", "k.csr", "--name", "k"],
  ])
    expect(await here.run("gen", ...gen)).toMatchObject({ status: 0 });
});
afterEach(() => here[Symbol.asyncDispose]());

const policy = `
profiles:
  nodeServer:
    addresses: [198.51.100.0/24]
  talosClient:
    lifetimeMax: 12h
`;

test("a request is held against what nodes are issued, without the roles that signers leave out", async () => {
  const byDefault = await here.run("policy", "why", "k.csr", "--default");
  expect(byDefault.stdout).toBe(
    `RULE                          FIELD                      VALUE       VERDICT
-                             subject.organizationName   os:reader   left out by whoever signs
nodeServer.namesMax           subjectAltName             1           allowed
nodeServer.commonNameIsName   subject.commonName         -           allowed
nodeServer.keyAlgorithms      subjectPublicKeyInfo       Ed25519     allowed

the request may be issued as nodeServer
`,
  );
  expect(byDefault.status).toBe(0);
  await here.write("policy.yaml", policy);
  const { status, stdout } = await here.run("policy", "why", "k.csr", "--policy", "policy.yaml");
  expect(stdout).toMatch(
    /nodeServer\.addresses +subjectAltName\.iPAddress +192\.0\.2\.7 +refused: allowed is "198\.51\.100\.0\/24"\n/,
  );
  expect([status, stdout.trimEnd().split("\n").at(-1)]).toEqual([
    3,
    "the request is refused as nodeServer",
  ]);
});

test("a certificate is held against the profile that it is nearest to, or that is named", async () => {
  await here.write("policy.yaml", policy);
  const why = (...flags: string[]) => here.run("policy", "why", "k.crt", ...flags);
  expect(await why("--default")).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/\nthe certificate may be issued as talosClient\n$/) as string,
  });
  expect(await why("--policy", "policy.yaml", "--profile", "talosClient")).toMatchObject({
    status: 3,
    stdout: expect.stringMatching(
      /talosClient\.lifetimeMax +validity +24h15m +refused: it may be 12h, and the 15m /,
    ) as string,
  });
  expect((await why("--default", "--profile", "apidServer")).stdout).toMatch(
    /apidServer\.extKeyUsages +extKeyUsage +clientAuth +refused: it has to be serverAuth\n/,
  );
});

test("what cannot be told ends with 1, wrong usage with 2", async () => {
  const why = (...words: string[]) => here.run("policy", "why", ...words);
  expect(await why("k.key", "--default")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('where "CERTIFICATE" belongs') as string,
  });
  await here.write("policy.yaml", "profiles:\n  nodeServer:\n    names: []\n");
  expect(await why("k.crt", "--policy", "policy.yaml")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("profiles.nodeServer.names: there is no such rule") as string,
  });
  expect(await why("k.crt", "--default", "--profile", "mine")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('there is no profile "mine": there is apidServer') as string,
  });
  expect((await why("k.crt", "--default", "--policy", "policy.yaml")).status).toBe(2);
});

test("the default policy can be read back", async () => {
  const { stdout } = await here.run("policy", "show", "--default");
  await here.write("policy.yaml", stdout);
  const why = (...flags: string[]) => here.run("policy", "why", "k.crt", ...flags);
  expect(await why("--policy", "policy.yaml")).toEqual(await why("--default"));
});
