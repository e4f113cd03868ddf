import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { configurationDiff } from "#config";
import { expect, test } from "vitest";

const fixture = join(import.meta.dirname, "../fixtures/talos-demo/controlplane.yaml");

test("names and lists that differ are shown as they are", () => {
  const before = "machine:\n    type: controlplane\n    certSANs: [a.example, b.example]\n";
  const after =
    "# moved\nmachine:\n  type: controlplane\n  certSANs:\n  - a.example\n  - c.example\n";
  expect(configurationDiff(before, after)).toBe(`--- in force
+++ applied
@@ -2,4 +2,4 @@
     type: controlplane
     certSANs:
         - a.example
-        - b.example
+        - c.example
`);
});

test("comments, layout and quotes are no difference", () => {
  expect(configurationDiff("a: {b: 'c'} # x\n", '# y\na:\n  b: "c"\n')).toBe("");
});

test("a secret that differs is told to differ, and is not shown", () => {
  const text = (token: string) => `machine:\n    token: ${token}\n    type: worker\n`;
  const diff = configurationDiff(text("one"), text("two"));
  expect(diff).toContain("-    token: <hidden> (before)\n+    token: <hidden> (after)\n");
  expect(diff).not.toMatch(/one|two/);
});

test.each([
  ["privateKey: abc", "abc"],
  ["token: abc", "abc"],
  ["clusterSecret: abc", "abc"],
  ["auth: {username: me, password: abc}", "abc"],
  ["env: {HTTP_PROXY: abc}", "abc"],
  ["files: [{content: abc}]", "abc"],
  ["x: aaaaaa.bbbbbbbbbbbbbbbb", "bbbb"],
  ["x: https://me:abc@host/", "abc"],
  [`x: ${Buffer.from("-----BEGIN PRIVATE KEY-----").toString("base64")}`, "LS0t"],
  ["x: |\n  -----BEGIN PRIVATE KEY-----\n  abc", "abc"],
  ["x: bTuWLV8nlr3NpWW8cGpZVkZ3yR2wKhE9X2xXv1r0aBc=", "bTuW"],
  ["token: 12345", "12345"],
  ["extraKernelArgs: [foo.password=hunter2]", "hunter2"],
  ["x: https://host/file?access_token=abc&y=1", "abc"],
  ["etcd-pass: abc", "abc"],
  ["keys: [abc, def]", "abc"],
  ["sshKeys: {inner: [abc]}", "abc"],
])("what looks like a secret is hidden: %s", (line, secret) => {
  const diff = configurationDiff(
    "{}",
    `machine:\n  other: 1\n  ${line.replaceAll("\n", "\n  ")}\n`,
  );
  expect(diff).toContain("other: 1");
  expect(diff).toContain("<hidden>");
  expect(diff).not.toContain(secret);
});

test("of a list of keys that are mappings their own names say what is shown", () => {
  const diff = configurationDiff(
    "{}",
    "encryption: {keys: [{slot: 0, tpm: {}}, {slot: 1, static: {passphrase: abc}}]}\nbypass: shown\n",
  );
  expect(diff).toContain("slot: 1");
  expect(diff).toContain("passphrase: <hidden>");
  expect(diff).toContain("bypass: shown");
});

test("of a whole configuration no private key, token or secret is shown", async () => {
  const text = await readFile(fixture, "utf8");
  const diff = configurationDiff("", text);
  const secrets = [...text.matchAll(/^ *(?:key|token|secret|id|\w+Secret): (.+)$/gm)].map(
    ([, value]) => value!.replaceAll('"', ""),
  );
  expect(secrets.length).toBeGreaterThan(6);
  for (const secret of secrets) expect(diff).not.toContain(secret);
  expect(diff).toContain("type: controlplane");
  expect(diff).toMatch(/crt: LS0t/); // certificates are public
});

test("a stored text that is no YAML any more is as good as none", () => {
  expect(configurationDiff("a: [", "b: c\n")).toContain("+b: c");
});
