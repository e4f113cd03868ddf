/** `trustplane gen`: names, modes, refusals; openssl looks at what comes out (talos-pki.md §3). */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { roles } from "#config";
import { at } from "#runtime";
import { bench, type Bench } from "./harness.ts";

const execute = promisify(execFile);
const demo = join(import.meta.dirname, "../../fixtures/talos-demo");

let here: Bench;
beforeEach(async () => {
  here = await bench(at("2026-11-24T12:00:00Z"));
});
afterEach(() => here[Symbol.asyncDispose]());

const gen = (...argv: string[]) => here.run("gen", ...argv);

async function openssl(...argv: string[]): Promise<string> {
  const { stdout } = await execute("openssl", argv, { cwd: here.cwd });
  return stdout;
}

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

describe("gen ca, key, csr, crt, keypair", () => {
  test("from an authority to a client certificate that openssl verifies", async () => {
    const { stdout, stderr } = await done("ca", "--organization", "talos");
    expect({ stdout, stderr }).toEqual({
      stdout: "",
      stderr: "Created talos.crt\nCreated talos.sha256\nCreated talos.key\n",
    });
    await done("key", "--name", "admin");
    await done("csr", "--key", "admin.key", "--ip", "192.0.2.10", "--roles", "os:reader,os:admin");
    await done("crt", "--ca", "talos", "--csr", "admin.csr", "--name", "admin", "--hours", "48");
    const files = ["talos.crt", "talos.key", "talos.sha256", "admin.key", "admin.csr", "admin.crt"];
    await privateFiles(...files);
    const purpose = ["-purpose", "sslclient", "-attime", "1795608000"];
    expect(await openssl("verify", ...purpose, "-CAfile", "talos.crt", "admin.crt")).toBe(
      "admin.crt: OK\n",
    );
    expect(await openssl("req", "-in", "admin.csr", "-noout", "-verify", "-subject")).toContain(
      "subject=O = os:admin + O = os:reader",
    );
    const text = await openssl(
      "x509",
      "-in",
      "admin.crt",
      "-noout",
      "-text",
      "-nameopt",
      "oneline",
    );
    expect(text).toContain("Subject: O = os:admin + O = os:reader");
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/Extended Key Usage: \s+TLS Web Client Authentication\n/);
    expect(text).toContain("IP Address:192.0.2.10");
    expect(text).toContain("Not Before: Nov 24 11:45:00 2026 GMT");
    expect(text).toContain("Not After : Nov 26 12:00:00 2026 GMT");
  });

  test("the authority is as siderolabs/crypto makes them, and its hash is of the key", async () => {
    await done("ca", "--organization", "talos");
    const text = await openssl(
      "x509",
      "-in",
      "talos.crt",
      "-noout",
      "-text",
      "-nameopt",
      "oneline",
    );
    expect(text).toContain("Issuer: O = talos\n");
    expect(text).toContain("Signature Algorithm: ED25519");
    expect(text).toContain("Not After : Nov 21 11:45:00 2036 GMT");
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign\n/);
    expect(text).toMatch(/TLS Web Server Authentication, TLS Web Client Authentication\n/);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE\n/);
    const script =
      "openssl x509 -in talos.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum";
    const { stdout } = await execute("sh", ["-c", script], { cwd: here.cwd });
    expect(await here.read("talos.sha256")).toBe(`sha256:${stdout.split(" ")[0] ?? ""}`);
  });

  test("a request may ask for any role that Talos has", async () => {
    await done("key", "--name", "a");
    const all = Object.keys(roles);
    expect(all).toHaveLength(7);
    await done("csr", "--key", "a.key", "--ip", "::1", "--roles", all.join(","));
    const subject = await openssl("req", "-in", "a.csr", "-noout", "-subject");
    for (const role of all) expect(subject).toContain(role);
  });

  test("gen ca --rsa: 4096 bits and SHA-512", { timeout: 60_000 }, async () => {
    await done("ca", "--organization", "r", "--rsa", "--hours", "24");
    expect(await here.read("r.key")).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    expect(await openssl("rsa", "-in", "r.key", "-noout", "-check")).toContain("RSA key ok");
    const text = await openssl("x509", "-in", "r.crt", "-noout", "-text");
    expect(text).toContain("Signature Algorithm: sha512WithRSAEncryption");
    expect(text).toContain("Public-Key: (4096 bit)");
    expect(text).toContain("Not After : Nov 25 11:45:00 2026 GMT");
  });

  test("gen keypair is an authority of a day with addresses", async () => {
    await done("keypair", "--organization", "test", "--ip", "192.0.2.1,2001:db8::1");
    await privateFiles("test.crt", "test.key");
    const text = await openssl("x509", "-in", "test.crt", "-noout", "-text");
    expect(text).toContain("CA:TRUE");
    expect(text).toContain("IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1");
    expect(text).toContain("Not After : Nov 25 11:45:00 2026 GMT");
  });

  test("a certificate does not outlive its authority", async () => {
    await done("ca", "--organization", "short", "--hours", "2");
    await done("key", "--name", "a");
    await done("csr", "--key", "a.key", "--ip", "192.0.2.1");
    await done("crt", "--ca", "short", "--csr", "a.csr", "--name", "a", "--hours", "99");
    const dates = await openssl("x509", "-in", "a.crt", "-noout", "-enddate");
    expect(dates).toContain("Nov 24 13:45:00 2026");
  });

  test("a file that exists stops everything, and is as it was", async () => {
    await here.write("talos.sha256", "mine");
    expect(await gen("ca", "--organization", "talos")).toEqual({
      status: 1,
      stdout: "",
      stderr: 'error: file "talos.sha256" already exists, use --force to overwrite\n',
    });
    expect(await here.files()).toEqual(["talos.sha256"]);
    expect(await here.read("talos.sha256")).toBe("mine");
    await done("ca", "--organization", "talos", "--force");
    await done("--force", "ca", "--organization", "talos");
    await privateFiles("talos.crt", "talos.key", "talos.sha256");
  });

  test("what does not belong together is refused, with the file's name", async () => {
    await done("ca", "--organization", "one");
    await done("ca", "--organization", "two");
    await done("key", "--name", "a");
    await done("csr", "--key", "a.key", "--ip", "192.0.2.1");
    await cp(join(here.cwd, "two.key"), join(here.cwd, "one.key"));
    const mismatch = await gen("crt", "--ca", "one", "--csr", "a.csr", "--name", "a");
    expect(mismatch.status).toBe(1);
    expect(mismatch.stderr).toContain("one.key");
    const swapped = await gen("crt", "--ca", "two", "--csr", "two.crt", "--name", "a");
    expect(swapped.status).toBe(1);
    expect(swapped.stderr).toContain("two.crt");
    expect(await here.files()).not.toContain("a.crt");
    expect(
      (await gen("csr", "--key", "a.key", "--ip", "::1", "--roles", "root", "-f")).stderr,
    ).toContain("unknown roles: root");
  });
});

test("a key under the label of another type is refused, with the file's name", async () => {
  await done("ca", "--organization", "ca");
  await done("key", "--name", "a");
  await done("csr", "--key", "a.key", "--ip", "192.0.2.1");
  for (const [file, verb] of [
    ["a.key", ["csr", "--key", "a.key", "--ip", "192.0.2.1", "--force"]],
    ["ca.key", ["crt", "--ca", "ca", "--csr", "a.csr", "--name", "a"]],
  ] as const) {
    const pem = await here.read(file);
    await here.write(file, pem.replaceAll("ED25519 PRIVATE", "EC PRIVATE"));
    expect(await gen(...verb)).toEqual({
      status: 1,
      stdout: "",
      stderr: `error: ${file}: the label "EC PRIVATE KEY" does not fit the key below it, which is of type Ed25519\n`,
    });
    await here.write(file, pem.replaceAll("ED25519 PRIVATE", "RSA PRIVATE"));
    expect(await gen(...verb), "RSA").toMatchObject({ status: 1 });
  }
  expect(await here.files()).not.toContain("a.crt");
});

describe("gen secrets", () => {
  const bundle = async (path = "secrets.yaml") =>
    parse(await here.read(path)) as Record<string, Record<string, unknown>>;

  test("one file, for its owner only; never in place of another", { timeout: 60_000 }, async () => {
    const { stderr } = await done("secrets");
    expect(stderr).toBe("Created secrets.yaml\n");
    await privateFiles("secrets.yaml");
    const before = await here.read("secrets.yaml");
    expect(Object.keys(parse(before) as object)).toEqual([
      "cluster",
      "secrets",
      "trustdinfo",
      "certs",
    ]);
    expect(await gen("secrets")).toMatchObject({
      status: 1,
      stderr: 'error: file "secrets.yaml" already exists, use --force to overwrite\n',
    });
    expect(await here.read("secrets.yaml")).toBe(before);
  });

  const small = ["--talos-version", "v1.6"]; // an elliptic service-account key: quick

  test("-o, --output and --output-file name the file; - is the standard output", async () => {
    await done("secrets", ...small, "-o", "a.yaml");
    await done("secrets", ...small, "--output", "b.yaml");
    await done("secrets", ...small, "--output-file", "c/d.yaml");
    expect(await here.files()).toEqual(["a.yaml", "b.yaml", "c", "c/d.yaml"]);
    const { stdout, stderr } = await done("secrets", ...small, "-o", "-");
    expect(stdout).toMatch(/^cluster:\n/);
    expect(stderr).toBe("");
  });

  test("a bootstrap token comes from the flag, a file or the standard input", async () => {
    const token = "abcdef.0123456789abcdef";
    await here.write("token.txt", `${token}\n`);
    const flag = ["secrets", "-f", ...small, "--kubernetes-bootstrap-token"];
    for (const [stdin, value] of [
      ["", token],
      ["", "@token.txt"],
      [`${token}\n`, "-"],
    ] as const) {
      expect(await here.runWith({ stdin }, "gen", ...flag, value)).toMatchObject({ status: 0 });
      expect((await bundle()).secrets).toMatchObject({ bootstraptoken: token });
      await here.run("gen", "secrets", "-f", ...small);
      expect((await bundle()).secrets).not.toMatchObject({ bootstraptoken: token });
    }
    expect(await here.runWith({ stdin: "\n" }, "gen", ...flag, "-")).toMatchObject({
      status: 1,
      stderr: "error: --kubernetes-bootstrap-token: the token is empty\n",
    });
    const odd = await done("secrets", "-f", ...small, "-t", "odd-secret-token");
    expect(odd.stderr).toContain("WARNING: ");
    expect(odd.stderr).not.toContain("odd-secret-token");
  });

  test("--from-controlplane-config gives the bundle that the configuration was made from", async () => {
    await done("secrets", "--from-controlplane-config", join(demo, "controlplane.yaml"));
    const original = await here.run("gen", "secrets", "-o", "-", ...small);
    expect(original.status).toBe(0);
    expect(await here.read("secrets.yaml")).toBe(
      await readFile(join(demo, "secrets.yaml"), "utf8"),
    );
  });

  test("--strict: what would be a warning is an error, and nothing is written", async () => {
    const odd = ["secrets", ...small, "-t", "odd-secret-token", "--strict"];
    const token = await gen(...odd);
    expect(token.status).toBe(1);
    expect(token.stderr).toContain("warning: secrets.yaml:");
    const text = await readFile(join(demo, "controlplane.yaml"), "utf8");
    await here.write("c.yaml", text.replace(/^ {4}token: .*$/m, "    token: odd"));
    const config = await gen("secrets", "--from-controlplane-config", "c.yaml", "--strict");
    expect(config.status).toBe(1);
    expect(config.stderr).toContain("warning: c.yaml:6: machine.token: is not of the form");
    expect(await here.files()).toEqual(["c.yaml"]);
    await done(...odd.slice(0, -1), "--strict=false");
  });

  test("a worker's configuration is refused, and says what it lacks", async () => {
    const { status, stderr } = await gen(
      "secrets",
      "--from-controlplane-config",
      join(demo, "worker.yaml"),
    );
    expect(status).toBe(1);
    expect(stderr).toContain("machine.ca");
    expect(stderr).toContain("worker.yaml");
    expect(await here.files()).toEqual([]);
  });

  /** Lays out authorities as kubeadm does, by openssl. */
  async function kubeadm(algorithm: readonly string[]): Promise<void> {
    await mkdir(join(here.cwd, "pki/etcd"), { recursive: true });
    for (const [name, subject] of [
      ["ca", "/CN=kubernetes"],
      ["etcd/ca", "/CN=etcd-ca"],
      ["front-proxy-ca", "/CN=front-proxy-ca"],
    ] as const)
      await openssl(
        ...["req", "-x509", "-nodes", "-newkey", ...algorithm, "-subj", subject, "-days", "3650"],
        ...["-addext", "keyUsage=critical,digitalSignature,keyCertSign"],
        ...["-keyout", `pki/${name}.key`, "-out", `pki/${name}.crt`],
      );
    await openssl("genrsa", "-out", "pki/sa.key", "2048");
  }

  test.each([
    ["RSA", ["rsa:2048"]],
    ["EC", ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]],
  ])(
    "--from-kubernetes-pki takes over kubeadm's %s authorities",
    { timeout: 60_000 },
    async (_, algorithm) => {
      await kubeadm(algorithm);
      // The certificates are of today, by the clock of this machine.
      const { stderr, status } = await gen("secrets", "-p", "pki", "-t", "abcdef.0123456789abcdef");
      expect({ status, stderr: stderr.replace(/^WARNING: .*\n/gm, "") }).toEqual({
        status: 0,
        stderr: "Created secrets.yaml\n",
      });
      const { certs, secrets } = await bundle();
      const k8s = certs?.k8s as { crt: string; key: string };
      expect(Buffer.from(k8s.crt, "base64").toString()).toBe(await here.read("pki/ca.crt"));
      expect(Buffer.from(k8s.key, "base64").toString()).toBe(await here.read("pki/ca.key"));
      expect(secrets).toMatchObject({ bootstraptoken: "abcdef.0123456789abcdef" });
    },
  );

  test("a directory that lacks a file, or is none, is refused", { timeout: 60_000 }, async () => {
    await kubeadm(["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    await here.write("pki/etcd/ca.key", "garbage\n");
    const broken = await gen("secrets", "-p", "pki");
    expect(broken.status).toBe(1);
    expect(broken.stderr).toContain("etcd/ca.key");
    expect((await gen("secrets", "-p", "pki/ca.crt")).stderr).toBe(
      'error: "pki/ca.crt" is not a directory\n',
    );
    expect((await gen("secrets", "-p", "pki/etcd")).stderr).toBe(
      'error: cannot read "pki/etcd/ca.key": no such file or directory\n'.replace(
        "ca.key",
        "etcd/ca.crt",
      ),
    );
    expect(await here.files()).not.toContain("secrets.yaml");
  });
});
