import { describe, expect, test } from "vitest";
import {
  checkMachineConfig,
  ConfigInvalidError,
  generateMachineConfigs,
  loadMachineConfig,
  readBundle,
  type RuntimeMode,
} from "#config";
import { at } from "#runtime";
import {
  authority,
  base64,
  type Change,
  changed,
  controlplaneYaml,
  encoded,
  keys,
  leaf,
  messageOf,
  now,
  secretsYaml,
  workerYaml,
} from "./demo.ts";

const files = { controlplane: controlplaneYaml, worker: workerYaml };
const check = (text: string, options: { mode?: RuntimeMode; strict?: boolean } = {}) =>
  checkMachineConfig(loadMachineConfig(text, "c.yaml"), { mode: "metal", now, keys, ...options });
const kind = (name: string, rest = "") => `---\napiVersion: v1alpha1\nkind: ${name}\n${rest}`;

/** What was said, without the header; each line has to begin with file and line. */
async function problemsOf(text: string, mode: RuntimeMode = "metal"): Promise<string[]> {
  const [header, ...lines] = (await messageOf(() => check(text, { mode }))).split("\n");
  expect(header).toBe(
    lines.length === 1 ? "1 error occurred:" : `${lines.length} errors occurred:`,
  );
  return lines.map((line) => {
    expect(line).toMatch(/^\t\* c\.yaml:\d+: /);
    return line.replace(/^\t\* c\.yaml:\d+: /, "");
  });
}

test.each(["controlplane", "worker"] as const)("the demo's %s passes strictly", async (name) => {
  expect(await check(files[name], { strict: true })).toEqual({ warnings: [] });
});

const { bundle } = readBundle(secretsYaml);
const many = generateMachineConfigs({
  clusterName: "demo",
  endpoint: "https://10.0.0.2:6443",
  bundle,
  talosVersion: "v1.14",
});

test.each(["controlplane", "worker"] as const)(
  "a %s of Talos 1.14 passes strictly",
  async (name) => {
    expect(await check(many[name], { strict: true })).toEqual({ warnings: [] });
  },
);

type Case = readonly [machine: "controlplane" | "worker", message: string, ...Change[]];
const discovery = "cluster discovery service requires .cluster.";
const access = "machine.features.kubernetesTalosAPIAccess";
const osKey = base64(bundle.certs.os.key);
const k8sKey = base64(bundle.certs.k8s.key);

describe("talos-pki.md §4.2, word by word", () => {
  const cases: readonly Case[] = [
    ["controlplane", "machine instructions are required", ["machine", undefined]],
    ["controlplane", "cluster instructions are required", ["cluster", undefined]],
    [
      "controlplane",
      "cluster controlplane endpoint is required",
      ["cluster.controlPlane", undefined],
    ],
    [
      "worker",
      "issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs)",
      ["machine.ca", undefined],
    ],
    ["controlplane", "issuing CA is required (.machine.ca)", ["machine.ca", undefined]],
    [
      "controlplane",
      "issuing CA key is required for controlplane nodes (.machine.ca.key)",
      ["machine.ca.key", ""],
    ],
    [
      "worker",
      "issuing Talos API CA key is not allowed on non-controlplane nodes (.machine.ca)",
      ["machine.ca.key", osKey],
    ],
    [
      "worker",
      "trusted CA certificates are required on non-controlplane nodes (.machine.ca.crt, .machine.acceptedCAs)",
      ["machine.ca.crt", ""],
    ],
    [
      "worker",
      "issuing Kubernetes API CA key is not allowed on non-controlplane nodes (.cluster.ca)",
      ["cluster.ca.key", k8sKey],
    ],
    [
      "worker",
      "etcd config is only allowed on control plane machines",
      ["cluster.etcd", { subnet: "10.0.0.0/8" }],
    ],
    ["controlplane", "key/cert combination should not be empty", ["cluster.etcd.ca", undefined]],
    ["controlplane", "key/cert combination should not be empty", ["cluster.etcd", undefined]],
    [
      "worker",
      "feature Kubernetes Talos API Access can only be enabled on control plane machines",
      [access, { enabled: true, allowedRoles: ["os:reader"] }],
    ],
    [
      "controlplane",
      'invalid role "os:king" in allowed roles for Kubernetes Talos API Access',
      [access, { enabled: true, allowedRoles: ["os:king"] }],
    ],
    ["controlplane", `${discovery}id`, ["cluster.id", undefined]],
    ["worker", `${discovery}secret`, ["cluster.secret", ""]],
    [
      "controlplane",
      'install instructions are required in "metal" mode',
      ["machine.install", undefined],
    ],
    [
      "controlplane",
      "either install disk or diskSelector should be defined",
      ["machine.install.disk", undefined],
    ],
    ["controlplane", 'unknown machine type "king"', ["machine.type", "king"]],
    [
      "controlplane",
      "etcd encryption config is required for control plane machines",
      ["cluster.secretboxEncryptionSecret", undefined],
    ],
  ];
  const named = cases.map(([machine, message, ...changes]) => ({ machine, message, changes }));
  test.each(named)("$machine: $message", async ({ machine, message, changes }) => {
    const problems = await problemsOf(changed(files[machine], ...changes));
    const found = problems.filter((problem) => problem.endsWith(message));
    expect(found, problems.join("\n")).toHaveLength(1);
    expect(await check(files[machine])).toEqual({ warnings: [] });
  });

  test.each([
    ["cluster.id", ["cluster.discovery.enabled", "false"]],
    ["cluster.id", ["cluster.discovery.registries.service", { disabled: true }]],
  ] as const)("without discovery no %s is needed", async (field, change) => {
    const text = changed(controlplaneYaml, [field, undefined], [change[0], change[1]]);
    await expect(check(text)).resolves.toEqual({ warnings: [] });
  });

  test("install instructions are for metal only, and a disk selector does", async () => {
    const without = changed(controlplaneYaml, ["machine.install", undefined]);
    for (const mode of ["cloud", "container"] as const)
      await expect(check(without, { mode })).resolves.toEqual({ warnings: [] });
    const selected = changed(
      controlplaneYaml,
      ["machine.install.disk", undefined],
      ["machine.install.diskSelector", { size: ">= 10GB" }],
    );
    await expect(check(selected)).resolves.toEqual({ warnings: [] });
  });

  test("all problems come at once", async () => {
    const text = changed(controlplaneYaml, ["machine.ca", undefined], ["cluster.etcd", undefined]);
    await expect(check(text)).rejects.toBeInstanceOf(ConfigInvalidError);
    expect(await problemsOf(text)).toHaveLength(3);
  });

  test.each([
    ["init", "controlplane"],
    ["join", "worker"],
    ["", "worker"],
  ] as const)("type %j is of old: a warning", async (type, wanted) => {
    const { warnings } = await check(changed(files[wanted], ["machine.type", type]));
    expect(warnings).toEqual([
      `c.yaml:5: machine.type: use "${wanted}" instead of "${type}" for machine type`,
    ]);
  });
});

describe("documents with a kind", () => {
  test.each([
    [
      "kube-apiserver CA is already set in v1alpha1 config (.cluster.ca)",
      kind("KubeAPIServerCAConfig", `acceptedCAs: [${JSON.stringify(bundle.certs.k8s.crt)}]\n`),
    ],
    [
      "service account is already set in v1alpha1 config (.cluster.serviceAccount)",
      kind("KubeServiceAccountConfig", "issuer: {privateKey: x, issuerURL: https://a}\n"),
    ],
    [
      "kube-apiserver config is already set in v1alpha1 config (.cluster.apiServer)",
      kind("KubeAPIServerConfig", "image: x\n"),
    ],
    [
      "cluster endpoint is already set in v1alpha1 config (.cluster.controlPlane.endpoint)",
      kind("KubeClusterConfig", "endpoint: https://a\n"),
    ],
    [
      "cluster ID is already set in v1alpha1 config (.cluster.id)",
      kind("DiscoveryIdentityConfig", "clusterID: a\nclusterSecret: b\n"),
    ],
  ])("conflict: %s", async (message, document) => {
    const problems = await problemsOf(controlplaneYaml + document);
    expect(problems.filter((problem) => problem.endsWith(message))).toHaveLength(1);
  });

  test("what control planes alone do is refused on workers", async () => {
    expect(await problemsOf(many.worker + kind("KubeCoreDNSConfig", "enabled: true\n"))).toEqual([
      "the following document kinds are only allowed on control plane machines: [KubeCoreDNSConfig]",
    ]);
  });

  test.each([
    [
      "auto: stable\n",
      "auto: stable\nhostname: a\n",
      "'auto' and 'hostname' cannot be set at the same time",
    ],
    ["auto: stable\n", "auto: magic\n", "invalid value for 'auto'"],
    ["auto: stable\n", "", "either 'auto' or 'hostname' must be set"],
    [
      /issuingCA:\n {4}cert: \|\n(.*\n)*? {4}key/,
      "issuingCA:\n    key",
      "issuing CA: certificate is required",
    ],
    [
      /( {4}cert: \|\n(?: {8}.*\n)*) {4}key: \|\n(?: {8}.*\n)*/,
      "$1",
      "issuing CA: key is required",
    ],
    [/ {4}cert: \|\n(?: {8}.*\n)*/, "    cert: none\n", "issuing CA: no PEM blocks found"],
    [
      /privateKey: \|\n(?: {8}.*\n)*/,
      "privateKey: none\n",
      "service issuer private key is invalid: ",
    ],
    [/ {4}issuerURL: .*\n/, "", "service issuer URL is required"],
    [
      "kind: KubePrismConfig\n",
      `kind: KubePrismConfig\n---\napiVersion: v1alpha1\nkind: KubeTalosAPIAccessConfig\nallowedRoles: [os:king]\n---\napiVersion: v1alpha1\nkind: KubeletConfig\nname: x\n`,
      'invalid role "os:king" in .allowedRoles',
    ],
  ])("%s → %j: %s", async (from, to, message) => {
    const text = many.controlplane.replace(from, to);
    expect(text).not.toBe(many.controlplane);
    const problems = await problemsOf(text);
    expect(
      problems.filter((problem) => problem.includes(message)),
      problems.join("\n"),
    ).toHaveLength(1);
  });

  test("an accepted authority is named by its number", async () => {
    const text = many.worker.replace(/( {4}- \|\n(?: {6}.*\n)*)/, "$1    - none\n");
    expect(await problemsOf(text)).toEqual([
      "KubeAPIServerCAConfig.acceptedCAs[1]: accepted CA #1: no PEM blocks found",
    ]);
  });

  test("an issuing authority is not for workers", async () => {
    const pair = `issuingCA:\n    cert: ${JSON.stringify(bundle.certs.k8s.crt)}\n    key: x\n`;
    const text = many.worker.replace(/acceptedCAs:\n {4}- \|\n(?: {6}.*\n)*/, pair);
    expect((await problemsOf(text)).join("\n")).toContain("not allowed on non-controlplane nodes");
  });
});

describe("what Talos does not check", () => {
  const lineIs = async (text: string, field: string, message: string | RegExp) => {
    const all = (await messageOf(() => check(text))).split("\n");
    const line = all.find((it) => it.includes(`: ${field}: `));
    expect(line, all.join("\n")).toMatch(message);
    const number = Number(/^\t\* c\.yaml:(\d+): /.exec(line ?? "")?.[1]);
    const last = /([^.[\]]+)(\[\d+\])?$/.exec(field);
    if (last?.[2] === undefined)
      expect(text.split("\n")[number - 1]).toContain(`${last?.[1] ?? ""}:`);
    else expect(text.split("\n")[number - 1]).toMatch(/^ *- /);
  };

  test.each([
    ["cluster.ca.key", "key is required"],
    ["cluster.etcd.ca.key", "key is required"],
    ["cluster.aggregatorCA.key", "key is required"],
  ])("%s: an authority without its key", async (field, message) => {
    await lineIs(changed(controlplaneYaml, [field, ""]), field, message);
  });

  test.each(["machine.ca", "cluster.ca", "cluster.etcd.ca", "cluster.aggregatorCA"])(
    "%s: a key of another certificate",
    async (path) => {
      const { key } = await authority();
      const text = changed(controlplaneYaml, [`${path}.key`, base64(key)]);
      await lineIs(text, `${path}.key`, "does not match the certificate beside it");
    },
  );

  test("a leaf where an authority belongs, issuing or accepted", async () => {
    const pair = await leaf();
    await lineIs(
      changed(controlplaneYaml, ["machine.ca", encoded(pair)]),
      "machine.ca.crt",
      "is a leaf; the certificate of an authority belongs here",
    );
    await lineIs(
      changed(workerYaml, ["machine.acceptedCAs", [{ crt: base64(pair.crt) }]]),
      "machine.acceptedCAs[0].crt",
      "is a leaf",
    );
  });

  test("an issuing authority that has expired; an accepted one only warns", async () => {
    const old = await authority(at("2010-01-01"));
    await lineIs(
      changed(controlplaneYaml, ["machine.ca", encoded(old)]),
      "machine.ca.crt",
      "expired at 2019-12-29",
    );
    const { warnings } = await check(
      changed(controlplaneYaml, ["machine.acceptedCAs", [{ crt: base64(old.crt) }]]),
    );
    expect(warnings).toEqual([expect.stringContaining("machine.acceptedCAs[0].crt: expired at")]);
  });

  test("PEM of another kind, no PEM, no base64, a key taken out", async () => {
    const field = "machine.ca.key";
    const set = (value: string) => changed(controlplaneYaml, [field, value]);
    await lineIs(set(base64(bundle.certs.os.crt)), field, 'found a PEM block "CERTIFICATE"');
    await lineIs(set(base64("hello")), field, "holds no PEM block");
    await lineIs(set("hello"), field, "is not base64");
    await lineIs(set("******"), field, "is taken out (******): put the key itself here");
  });

  test("a service-account key that cannot be read", async () => {
    const field = "cluster.serviceAccount.key";
    const pem = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    await lineIs(changed(controlplaneYaml, [field, base64(pem)]), field, "private key");
  });

  test.each(["machine.certSANs", "cluster.apiServer.certSANs"])(
    "%s: neither a name nor an address",
    async (field) => {
      for (const san of ["a b", "300.1.2.3", "-a.example", "https://a.example", ""]) {
        const text = changed(controlplaneYaml, [field, ["fine.example", san]]);
        await lineIs(text, `${field}[1]`, "is neither a DNS name nor an IP address");
      }
      const good = [
        "*.a.example",
        "2001:db8::1",
        "10.0.0.1",
        "a_b.example",
        "host",
        "dot.example.",
      ];
      await expect(check(changed(controlplaneYaml, [field, good]))).resolves.toEqual({
        warnings: [],
      });
    },
  );

  test.each([
    ["cluster.ca", "issuing Kubernetes API CA is required (.cluster.ca)"],
    ["cluster.aggregatorCA", "aggregator CA is required for controlplane nodes"],
    ["cluster.serviceAccount", "service account key is required for controlplane nodes"],
    ["machine.token", "machine.token: a token is required"],
    ["cluster.token", "cluster.token: a token is required"],
  ])("%s is missing", async (field, message) => {
    expect((await problemsOf(changed(controlplaneYaml, [field, undefined]))).join("\n")).toContain(
      message,
    );
  });

  test.each([
    ["http://10.0.0.2:6443", "its scheme is not https"],
    ["10.0.0.2:6443", "invalid controlplane endpoint"],
    ["https://me:secret@10.0.0.2", "it names a user"],
  ])("endpoint %s", async (endpoint, message) => {
    const text = changed(controlplaneYaml, ["cluster.controlPlane.endpoint", endpoint]);
    expect((await problemsOf(text)).join("\n")).toContain(message);
  });

  test("form of a token and a future authority: a warning, and strictly an error", async () => {
    const text = changed(
      controlplaneYaml,
      ["machine.token", "short"],
      ["machine.ca", encoded(await authority(at("2040-01-01")))],
    );
    const { warnings } = await check(text);
    expect(warnings).toEqual([
      expect.stringMatching(/^c\.yaml:6: machine\.token: is not of the form of a token/),
      expect.stringMatching(/^c\.yaml:8: machine\.ca\.crt: is not valid before 2039-12-31/),
    ]);
    const message = await messageOf(() => check(text, { strict: true }));
    expect(message).toMatch(/^2 errors occurred:\n\t\* warning: c\.yaml:6: machine\.token/);
  });
});
