/** Names of machines, kinds of machines, labels of keys, and keys that nobody knows. */
import { expect, test } from "vitest";
import { checkMachineConfig, loadBundle, loadMachineConfig, readBundle } from "#config";
import { webCryptoKeys } from "#pki";
import {
  base64,
  changed,
  controlplaneYaml,
  keys,
  messageOf,
  now,
  secretsYaml,
  workerYaml,
} from "./demo.ts";

const check = (text: string, options: { strict?: boolean } = {}) =>
  checkMachineConfig(loadMachineConfig(text, "c.yaml"), { mode: "metal", now, keys, ...options });
const lineOf = (text: string, part: string) =>
  text.split("\n").findIndex((line) => line.includes(part)) + 1;

test.each(["bad host", "-x", "a..b", "a".repeat(70), "1.2.3.4", "a.example.", "*.example"])(
  "%j is refused as a hostname, in either document",
  async (name) => {
    const document = `hostname: ${JSON.stringify(name)}`;
    const own = controlplaneYaml.replace("auto: stable", document);
    expect(await messageOf(() => check(own))).toContain(
      `c.yaml:${lineOf(own, document)}: HostnameConfig.hostname: ${JSON.stringify(name)} is no hostname: it `,
    );
    const legacy = changed(controlplaneYaml.replace(/---\n[^]*/, ""), [
      "machine.network.hostname",
      name,
    ]);
    expect(await messageOf(() => check(legacy))).toContain(
      `c.yaml:${lineOf(legacy, "hostname:")}: machine.network.hostname: ${JSON.stringify(name)} is no`,
    );
  },
);

test("a hostname of several labels is fine", async () => {
  const text = controlplaneYaml.replace("auto: stable", "hostname: n1.example.test");
  await expect(check(text)).resolves.toEqual({ warnings: [] });
});

test.each([
  ["king", 'unknown machine type "king"'],
  [undefined, "a type is required: controlplane or worker"],
  ["", "a type is required: controlplane or worker"],
])("the type %j of a control plane is the only problem", async (type, message) => {
  const text = changed(controlplaneYaml, ["machine.type", type]);
  const line = lineOf(text, type === undefined ? "machine:" : " type:");
  expect(await messageOf(() => check(text))).toBe(
    `1 error occurred:\n\t* c.yaml:${line}: machine.type: ${message}`,
  );
});

test("without a type a good worker is one, as Talos has it", async () => {
  const { warnings } = await check(changed(workerYaml, ["machine.type", undefined]));
  expect(warnings).toEqual([expect.stringContaining('use "worker" instead of ""')]);
});

test.each(["EC PRIVATE KEY", "RSA PRIVATE KEY", "ED25519 PRIVATE KEY"])(
  "the label %s around another key is refused",
  async (label) => {
    const { key } = readBundle(secretsYaml).bundle.certs.os; // Ed25519
    const other = await (await webCryptoKeys().issueKey("P-256")).pem();
    const held = label.startsWith("ED") ? other : key;
    const pem = held.replaceAll(/(BEGIN|END) \w+ PRIVATE KEY/g, `$1 ${label}`);
    const text = changed(controlplaneYaml, ["machine.ca.key", base64(pem)]);
    expect(await messageOf(() => check(text))).toMatch(/machine\.ca\.key: .*(private key|label)/);
  },
);

test("an Ed25519 key under the label of an elliptic one: the label is named", async () => {
  const { key } = readBundle(secretsYaml).bundle.certs.os;
  const text = changed(controlplaneYaml, [
    "machine.ca.key",
    base64(key.replaceAll("ED25519 PRIVATE KEY", "EC PRIVATE KEY")),
  ]);
  expect(await messageOf(() => check(text))).toBe(
    `1 error occurred:\n\t* c.yaml:${lineOf(text, " key:")}: machine.ca.key: ` +
      'the label "EC PRIVATE KEY" does not fit the key below it, which is of type Ed25519',
  );
});

test("unknown keys are a warning with field and line, strictly an error", async () => {
  const text = changed(
    controlplaneYaml,
    ["machines", {}],
    ["machine.certSAN", ["a"]],
    ["machine.kubelet.anything", "x"],
    ["cluster.secrets", "x"],
  );
  const expected = [
    `c.yaml:${lineOf(text, "certSAN:")}: machine.certSAN: unknown key`,
    `c.yaml:${lineOf(text, "secrets:")}: cluster.secrets: unknown key`,
    `c.yaml:${lineOf(text, "machines:")}: machines: unknown key`,
  ];
  expect(await check(text)).toEqual({ warnings: expected });
  expect(await messageOf(() => check(text, { strict: true }))).toBe(
    ["3 errors occurred:", ...expected.map((line) => `\t* warning: ${line}`)].join("\n"),
  );
});

test("unknown keys beside certificates and keys are found, in every document of public keys", async () => {
  const { crt } = readBundle(secretsYaml).bundle.certs.os;
  const text =
    changed(
      controlplaneYaml.replace(/---\n[^]*/, ""),
      ["machine.acceptedCAs", [{ crt: base64(crt), cert: "x" }]],
      ["machine.ca.pem", "x"],
      ["cluster.etcd.ca.keyy", "x"],
      ["cluster.apiServer.certSans", []],
      ["cluster.serviceAccount.crt", "x"],
      ["cluster.network.anything", "x"],
    ) +
    "---\napiVersion: v1alpha1\nkind: TrustedRootsConfig\nname: a\ncertificate: x\n" +
    `certificates: ${JSON.stringify(crt)}\n`;
  const { warnings } = await check(text);
  const named = [
    ["machine.acceptedCAs[0].cert", "cert: x"],
    ["machine.ca.pem", "pem: x"],
    ["cluster.etcd.ca.keyy", "keyy: x"],
    ["cluster.apiServer.certSans", "certSans: []"],
    ["cluster.serviceAccount.crt", "crt: x"],
    ["TrustedRootsConfig/a.certificate", "certificate: x"],
  ] as const;
  expect([...warnings].sort()).toEqual(
    named.map(([path, part]) => `c.yaml:${lineOf(text, part)}: ${path}: unknown key`).sort(),
  );
});

test("Kubernetes signs tokens by RSA and ECDSA: an Ed25519 key is refused, the others are taken", async () => {
  const problem = "is of type Ed25519; Kubernetes signs tokens with RSA and ECDSA keys only";
  for (const algorithm of ["P-256", "P-384", "RSA-2048"] as const) {
    const key = base64(await (await keys.issueKey(algorithm)).pem());
    const text = changed(controlplaneYaml, ["cluster.serviceAccount.key", key]);
    await expect(check(text), algorithm).resolves.toEqual({ warnings: [] });
  }
  const key = await (await keys.issueKey("Ed25519")).pem();
  const text = changed(controlplaneYaml, ["cluster.serviceAccount.key", base64(key)]);
  expect(await messageOf(() => check(text))).toMatch(
    new RegExp(`1 error occurred:\n\t\\* c.yaml:\\d+: cluster.serviceAccount.key: ${problem}$`),
  );
  const bundle = changed(secretsYaml, ["certs.k8sserviceaccount.key", base64(key)]);
  expect(await messageOf(() => loadBundle(bundle, { now, keys, source: "s.yaml" }))).toMatch(
    new RegExp(
      `1 error occurred:\n\t\\* s.yaml:\\d+: certs.k8sserviceaccount.key is invalid: ${problem}$`,
    ),
  );
});
