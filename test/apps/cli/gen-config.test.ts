/** `trustplane gen config`: files, flags and refusals (talos-pki.md §3.5). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { at } from "#runtime";
import { bench, type Bench } from "./harness.ts";

const demo = join(import.meta.dirname, "../../fixtures/talos-demo");

let here: Bench;
beforeEach(async () => {
  here = await bench(at("2026-11-24T12:00:00Z"));
});
afterEach(() => here[Symbol.asyncDispose]());

const gen = (...argv: string[]) => here.run("gen", ...argv);

/** Runs a verb that is to succeed. */
async function done(...argv: string[]) {
  const outcome = await gen(...argv);
  expect(outcome).toMatchObject({ status: 0 });
  return outcome;
}

const privateFiles = async (...names: string[]) => {
  expect(await here.files()).toEqual([...names].sort());
  for (const name of names) expect(await here.mode(name), name).toBe(0o600);
};

const secrets = ["--with-secrets", join(demo, "secrets.yaml")];
const cluster = ["config", "demo", "https://192.0.2.10:6443"];

test("three files, for their owner only", async () => {
  const { stderr } = await done(...cluster, ...secrets);
  expect(stderr).toBe("Created controlplane.yaml\nCreated worker.yaml\nCreated talosconfig\n");
  await privateFiles("controlplane.yaml", "worker.yaml", "talosconfig");
  const { stdout } = await here.run("config", "info", "--talosconfig", "talosconfig");
  expect(stdout).toContain("Current context:     demo\n");
  expect(stdout).toContain("Roles:               os:admin\n");
  for (const file of ["controlplane.yaml", "worker.yaml"])
    expect(await here.run("validate", "-c", file, "-m", "metal", "--strict")).toEqual({
      status: 0,
      stdout: `${file} is valid for metal mode\n`,
      stderr: "",
    });
});

test("without a bundle it says that it makes one", { timeout: 60_000 }, async () => {
  const { stderr } = await done(...cluster, "-t", "talosconfig", "--talos-version", "v1.6");
  expect(stderr).toBe("generating PKI and tokens\nCreated talosconfig\n");
});

test("-o is a directory, or with one type a file or the standard output", async () => {
  await done(...cluster, ...secrets, "-o", "out");
  await done(...cluster, ...secrets, "-t", "worker", "-o", "mine.yaml");
  await done(...cluster, ...secrets, "-t", "worker", "-o", "out", "--force");
  expect(await here.files()).toEqual([
    "mine.yaml",
    "out",
    "out/controlplane.yaml",
    "out/talosconfig",
    "out/worker.yaml",
  ]);
  const { stdout } = await done(...cluster, ...secrets, "-t", "worker", "-o", "-");
  expect(stdout).toBe(await here.read("mine.yaml"));
  expect(await gen(...cluster, ...secrets, "-o", "-")).toMatchObject({ status: 2 });
});

test("one file that exists stops all of them", async () => {
  await here.write("worker.yaml", "mine\n");
  expect(await gen(...cluster, ...secrets)).toMatchObject({
    status: 1,
    stderr: 'error: file "worker.yaml" already exists, use --force to overwrite\n',
  });
  expect(await here.files()).toEqual(["worker.yaml"]);
  expect(await here.read("worker.yaml")).toBe("mine\n");
});

test("--strict: a warning about the bundle is an error, and nothing is written", async () => {
  const text = await readFile(join(demo, "secrets.yaml"), "utf8");
  await here.write("odd.yaml", text.replace(/bootstraptoken: .*/, "bootstraptoken: odd"));
  await here.write("upper.yaml", text.replace("cluster:", "Cluster:"));
  for (const file of ["odd.yaml", "upper.yaml"]) {
    const { status, stderr } = await gen(...cluster, "--with-secrets", file, "--strict");
    expect(status).toBe(1);
    expect(stderr).toContain(`\t* warning: ${file}:`);
    expect(await here.files()).toEqual(["odd.yaml", "upper.yaml"]);
  }
  const { stderr } = await done(...cluster, "--with-secrets", "odd.yaml", "-t", "worker");
  expect(stderr).toMatch(/^WARNING: odd\.yaml:/);
});

test("talosctl's --with-docs and --with-examples are taken, and change nothing", async () => {
  const worker = [...cluster, ...secrets, "-t", "worker", "-o", "-"];
  const { stdout } = await done(...worker);
  for (const flags of [
    ["--with-docs", "--with-examples"],
    ["--with-docs=false", "--with-examples=false"],
  ])
    expect((await done(...worker, ...flags)).stdout).toBe(stdout);
  expect((await gen("config", "--help")).stdout).toMatch(/--with-docs .*no comments/);
});

test("a version of Kubernetes with and without its v gives the same images", async () => {
  const worker = [...cluster, ...secrets, "-t", "worker", "-o", "-", "--kubernetes-version"];
  const { stdout } = await done(...worker, "v1.35.0");
  expect(stdout).toContain("kubelet:v1.35.0\n");
  expect((await done(...worker, "1.35.0")).stdout).toBe(stdout);
});

test("the flags arrive in the files", async () => {
  const flags = ["--additional-sans", "a.example,192.0.2.7", "--install-disk", "/dev/vda"];
  await done(...cluster, ...secrets, ...flags, "--dns-domain", "k.test", "-t", "controlplane");
  const text = await here.read("controlplane.yaml");
  for (const part of ["a.example", "192.0.2.7", "/dev/vda", "k.test"]) expect(text).toContain(part);
});

test.each([
  ["http://192.0.2.10:6443", "https://"],
  ["192.0.2.10", "https://192.0.2.10:6443"],
])("the endpoint %s is refused, and the error says how to write it", async (endpoint, hint) => {
  const { status, stderr } = await gen("config", "demo", endpoint, ...secrets);
  expect(status).toBe(2);
  expect(stderr).toContain(hint);
  expect(await here.files()).toEqual([]);
});

test("a bundle with everything wrong is refused with everything that is wrong", async () => {
  await here.write("broken.yaml", "cluster: {id: x}\nsecrets: {}\n");
  const { status, stderr } = await gen(...cluster, "--with-secrets", "broken.yaml");
  expect(status).toBe(1);
  for (const part of ["broken.yaml", "cluster.secret is required", "certs is required"])
    expect(stderr).toContain(part);
  expect(await here.files()).toEqual(["broken.yaml"]);
});
