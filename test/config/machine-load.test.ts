import { describe, expect, test, vi } from "vitest";
import { Alias } from "yaml";
import {
  ConfigParseError,
  DuplicateDocumentError,
  loadMachineConfig,
  readBundle,
  UnknownDocumentError,
} from "#config";
import { hours } from "#runtime";
import { readYaml } from "../../src/config/yaml/read.ts";
import { base64, changed, controlplaneYaml, messageOf, secretsYaml, workerYaml } from "./demo.ts";

const { certs } = readBundle(secretsYaml).bundle;
const load = (text: string) => loadMachineConfig(text, "c.yaml");
const minimal = "version: v1alpha1\nmachine:\n    type: worker\n";
const kind = (name: string, rest = "") => `---\napiVersion: v1alpha1\nkind: ${name}\n${rest}`;

test("the text is kept verbatim", () => {
  expect(load(controlplaneYaml).text).toBe(controlplaneYaml);
});

test("a text that is loaded again gives the same configuration", () => {
  expect(load(controlplaneYaml)).toBe(load(controlplaneYaml));
  expect(loadMachineConfig(controlplaneYaml, "other.yaml").source).toBe("other.yaml");
});

describe("the demo's control plane", () => {
  const config = load(controlplaneYaml);

  test("is one, of the cluster demo, with a stable name", () => {
    expect(config.type).toBe("controlplane");
    expect(config.clusterName).toBe("demo");
    expect(config.hostname()).toEqual({ kind: "stable" });
    expect(config.timeDisabled).toBe(false);
    expect(config.talosApiAccess).toBeUndefined();
    expect(config.adminKubeconfigLifetime).toBe(hours(8760));
    expect(config.clusterNetworks()).toEqual(["10.244.0.0/16", "10.96.0.0/12"]);
  });

  test("has the root of the Talos API", () => {
    expect(config.osRoot()).toEqual({
      issuingCA: certs.os,
      acceptedCAs: [{ crt: certs.os.crt }],
      token: readBundle(secretsYaml).bundle.trustdInfo.token,
      certSANs: ["demo.example.test", "192.0.2.10"],
    });
  });

  test("has the roots of Kubernetes", () => {
    const { secrets } = readBundle(secretsYaml).bundle;
    const [id, secret] = secrets.bootstrapToken.split(".");
    expect(config.kubernetesRoot()).toMatchObject({
      name: "demo",
      endpoint: "https://10.0.0.2:6443",
      localEndpoint: "https://localhost:6443",
      certSANs: ["demo.example.test", "192.0.2.10"],
      dnsDomain: "cluster.local",
      issuingCA: certs.k8s,
      acceptedCAs: [{ crt: certs.k8s.crt }],
      aggregatorCA: certs.k8sAggregator,
      acceptedAggregatorCAs: [{ crt: certs.k8sAggregator.crt }],
      serviceAccount: certs.k8sServiceAccount,
      serviceAccountAcceptedKeys: [{ key: expect.stringContaining("BEGIN PUBLIC KEY") as string }],
      issuerURL: "https://10.0.0.2:6443",
      acceptedIssuers: [],
      apiAudiences: ["https://10.0.0.2:6443"],
      aesCBCEncryptionSecret: "",
      secretboxEncryptionSecret: secrets.secretboxEncryptionSecret,
      bootstrapTokenID: id,
      bootstrapTokenSecret: secret,
      serviceSubnets: ["10.96.0.0/12"],
      podSubnets: ["10.244.0.0/16"],
    });
  });

  test("has the root of etcd", () => {
    expect(config.etcdRoot()).toEqual(certs.etcd);
  });
});

test("a worker issues nothing, and trusts what the control plane trusts", () => {
  const config = load(workerYaml);
  expect(config.type).toBe("worker");
  expect(config.osRoot().issuingCA).toBeUndefined();
  expect(config.osRoot().acceptedCAs).toEqual([{ crt: certs.os.crt }]);
  expect(config.kubernetesRoot()).toBeUndefined();
  expect(config.etcdRoot()).toBeUndefined();
  expect(config.kubelet()).toMatchObject({
    endpoint: "https://10.0.0.2:6443",
    acceptedCAs: [{ crt: certs.k8s.crt }],
  });
});

test("accepted authorities: for the Talos API the issuing one is last, for Kubernetes first (§4.3)", () => {
  const other = [{ crt: base64(certs.etcd.crt) }];
  const text = changed(
    controlplaneYaml,
    ["machine.acceptedCAs", other],
    ["cluster.acceptedCAs", other],
  );
  const crts = (list: readonly { crt: string }[] = []) => list.map(({ crt }) => crt);
  expect(crts(load(text).osRoot().acceptedCAs)).toEqual([certs.etcd.crt, certs.os.crt]);
  expect(crts(load(text).kubernetesRoot()?.acceptedCAs)).toEqual([certs.k8s.crt, certs.etcd.crt]);
});

test("a key that was taken out is read as it stands", () => {
  const text = changed(controlplaneYaml, ["machine.ca.key", "******"]);
  expect(load(text).osRoot().issuingCA?.key).toBe("******");
});

describe("the same from documents of their own", () => {
  const pem = (text: string, indent: number) =>
    `|\n${text.trimEnd().replace(/^/gm, " ".repeat(indent))}\n`;
  const config = load(
    minimal.replace("worker", "controlplane") +
      "cluster:\n    token: abcdef.0123456789abcdef\n" +
      kind("KubeClusterConfig", "clusterName: many\nendpoint: https://k.example:443\n") +
      kind("KubeNetworkConfig", "dnsDomain: d.example\npodSubnets: [10.1.0.0/16]\n") +
      kind("DiscoveryIdentityConfig", "clusterID: an-id\nclusterSecret: a-secret\n") +
      kind(
        "KubeAPIServerCAConfig",
        `issuingCA:\n  cert: ${pem(certs.k8s.crt, 4)}  key: ${pem(certs.k8s.key, 4)}` +
          `acceptedCAs:\n  - ${pem(certs.etcd.crt, 4)}`,
      ) +
      kind(
        "KubeAggregatorCAConfig",
        `issuingCA:\n  cert: ${pem(certs.k8sAggregator.crt, 4)}  key: ${pem(certs.k8sAggregator.key, 4)}` +
          `acceptedCAs:\n  - ${pem(certs.os.crt, 4)}`,
      ) +
      kind("KubeAPIServerConfig", "certExtraSANs: [a.example]\napiPort: 7443\n") +
      kind(
        "KubeServiceAccountConfig",
        `issuer:\n  privateKey: ${pem(certs.k8sServiceAccount.key, 4)}  issuerURL: https://i.example\n` +
          "accepted:\n  publicKeys: [OTHER]\n  issuers: [https://o.example]\n  audiences: [aud]\n",
      ) +
      kind(
        "KubeEtcdEncryptionConfig",
        "config:\n  resources:\n  - resources: [configmaps]\n    providers: [{secretbox: {keys: [{secret: no}]}}]\n" +
          "  - resources: [secrets]\n    providers: [{aescbc: {keys: [{name: key1, secret: yes=}]}}]\n",
      ) +
      kind("KubeTalosAPIAccessConfig", "allowedRoles: [os:reader]\n") +
      kind("TimeSyncConfig", "enabled: false\n") +
      kind("HostnameConfig", "hostname: n1.example\n") +
      kind("TrustedRootsConfig", "name: ours\ncertificates: PEM\n") +
      kind("TrustedRootsConfig", "name: theirs\ncertificates: PEM2\n"),
  );

  test("the roots of Kubernetes", () => {
    const root = config.kubernetesRoot();
    expect(root).toMatchObject({
      name: "many",
      endpoint: "https://k.example:443",
      localEndpoint: "https://localhost:7443",
      certSANs: ["a.example"],
      dnsDomain: "d.example",
      issuingCA: certs.k8s,
      aggregatorCA: certs.k8sAggregator,
      serviceAccount: certs.k8sServiceAccount,
      issuerURL: "https://i.example",
      acceptedIssuers: ["https://o.example"],
      apiAudiences: ["aud"],
      aesCBCEncryptionSecret: "yes=",
      secretboxEncryptionSecret: "",
      podSubnets: ["10.1.0.0/16"],
      serviceSubnets: ["10.96.0.0/12"],
    });
    expect(root?.acceptedCAs.map(({ crt }) => crt.trim())).toEqual(
      [certs.k8s.crt, certs.etcd.crt].map((crt) => crt.trim()),
    );
    expect(root?.acceptedAggregatorCAs).toHaveLength(2);
    expect(root?.serviceAccountAcceptedKeys.map(({ key }) => key)).toEqual([
      expect.stringContaining("BEGIN PUBLIC KEY"),
      "OTHER",
    ]);
  });

  test("everything else", () => {
    expect(config.clusterIdentity).toEqual({ id: "an-id", secret: "a-secret" });
    expect(config.talosApiAccess?.allowedRoles).toEqual(["os:reader"]);
    expect(config.timeDisabled).toBe(true);
    expect(config.hostname()).toEqual({ kind: "static", hostname: "n1.example" });
    expect(config.trustedRoots.map(({ name }) => name)).toEqual(["ours", "theirs"]);
  });
});

test.each([
  ["network: {hostname: h}", { kind: "static", hostname: "h" }],
  ["features: {stableHostname: true}", { kind: "stable" }],
  ["time: {disabled: true}", { kind: "unset" }],
])("%s: the hostname is %j", (fields, hostname) => {
  expect(load(`${minimal}    ${fields}\n`).hostname()).toEqual(hostname);
});

test.each([
  ["controlplane", "controlplane"],
  ["init", "controlplane"],
  ["worker", "worker"],
  ["join", "worker"],
  ['""', "worker"],
])("a machine of type %s is a %s", (written, type) => {
  expect(load(minimal.replace("worker", written)).type).toBe(type);
});

test("a lifetime of user certificates is read as Go writes it", () => {
  const text = `${minimal}cluster: {adminKubeconfig: {certLifetime: 1h30m}}\n`;
  expect(load(text).adminKubeconfigLifetime).toBe(hours(1.5));
});

test.each([
  ["a: [1\n", /^c\.yaml:\d+:\d+: /],
  ["version: v1alpha1\nmachine:\n\ttype: worker\n", /^c\.yaml:3:\d+: a tab is used/],
  ["version: v1alpha1\nversion: v1alpha1\n", /^c\.yaml:2:1: a key stands twice/],
  ["a: *nobody\n", /^c\.yaml:1:4: /],
  ["a: &a [*a]\n", /^c\.yaml:1:\d+: an alias holds itself/],
  ["- a\n", /^c\.yaml:1: a document of a configuration is a mapping/],
  ["", /^c\.yaml: holds no configuration/],
  ["version: v1alpha1\nmachine: 7\n", /^c\.yaml:2:1: machine: is not a mapping$/],
  [`${minimal}    certSANs: a\n`, /^c\.yaml:4:5: machine\.certSANs: is not a list$/],
  [`${minimal}    certSANs: [[a]]\n`, /^c\.yaml:4:16: machine\.certSANs\[0\]: is not a text$/],
  [`${minimal}    time: {disabled: 7}\n`, /^c\.yaml:4:12: machine\.time\.disabled: is neither/],
  [
    minimal + kind("HostnameConfig", "auto: []\n"),
    /^c\.yaml:7:1: HostnameConfig\.auto: is not a text$/,
  ],
])("%j is refused with line and column", async (text, message) => {
  expect(() => load(text)).toThrow(ConfigParseError);
  expect(await messageOf(() => load(text))).toMatch(message);
});

test.each([
  [kind("HostNameConfig"), /^c\.yaml:6: kind: .*"HostNameConfig"; did you mean HostnameConfig\?$/],
  [kind("Hostname"), /did you mean HostnameConfig\?$/],
  [kind("Nonsense"), /"Nonsense"; known kinds: BGPConfig, .*ZswapConfig$/],
  [
    "---\nkind: HostnameConfig\n",
    /^c\.yaml:5: apiVersion: HostnameConfig exists in version v1alpha1/,
  ],
  ["---\nfoo: bar\n", /^c\.yaml:5: a document has neither kind nor version/],
  ["---\nversion: v2\n", /^c\.yaml:5: version: /],
])("%j is refused as unknown", async (text, message) => {
  expect(() => load(minimal + text)).toThrow(UnknownDocumentError);
  expect(await messageOf(() => load(minimal + text))).toMatch(message);
});

test.each([
  ["{[", 1, 2, "["],
  ["a: [", 1, 4, "["],
  ["a: [b, c\nd: e\n", 1, 4, "["],
  ["a: {b: c\nd: e\n", 1, 4, "{"],
  ["a: [1}\n", 1, 4, "["],
  ["a: '['\nb: |\n  {\nc: [x, {y: z}, [1]\nd: e\n", 4, 4, "["],
  ["a: b\n---\nc: [\n---\nd: e\n", 3, 4, "["],
])("%j: the bracket that is not closed is named, with its place", async (text, ...place) => {
  const [line, column, bracket] = place;
  const message = `c.yaml:${line}:${column}: the bracket ${bracket} that opens here is not closed`;
  expect(await messageOf(() => load(text))).toBe(message);
  expect(await messageOf(() => load(`${text}\n`))).toBe(message);
});

test("two documents of one kind and name are refused, of two names accepted", async () => {
  const root = (name: string) => kind("TrustedRootsConfig", `name: ${name}\ncertificates: ""\n`);
  expect(load(minimal + root("a") + root("b")).documents).toHaveLength(3);
  expect(() => load(minimal + root("a") + root("a"))).toThrow(DuplicateDocumentError);
  expect(await messageOf(() => load(minimal + root("a") + root("a")))).toBe(
    "c.yaml:10: duplicate document: TrustedRootsConfig/a; the first one is at line 5",
  );
  expect(() => load(`${minimal}---\n${minimal}`)).toThrow(DuplicateDocumentError);
});

test("a small file does not grow large by aliases", async () => {
  const levels = Array.from(
    { length: 9 },
    (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`,
  );
  const text = `l0: &l0 [x,x,x,x,x,x,x,x,x]\n${levels.join("\n")}\nversion: v1alpha1\n`;
  expect(await messageOf(() => load(text))).toMatch(/aliases make this document too large/);
});

const aliased = (count: number) =>
  `${minimal}    certSANs:\n        - &a x\n${"        - *a\n".repeat(count)}`;

test("a file has a thousand aliases at most, over all its documents", async () => {
  expect(load(aliased(1000)).osRoot().certSANs).toEqual(Array.from({ length: 1001 }, () => "x"));
  expect(() => load(aliased(1001))).toThrow(ConfigParseError);
  expect(await messageOf(() => load(aliased(1001)))).toBe(
    "c.yaml:1006:11: this is more than 1000 aliases",
  );
  const more = `${aliased(999)}---\na: &b 1\nb: [*b, *b]\n`;
  expect(await messageOf(() => load(more))).toMatch(/^c\.yaml:1007:9: this is more than 1000/);
});

test("what aliases stand for and where they are is known without a search for each", () => {
  const search = vi.spyOn(Alias.prototype, "resolve");
  const text = "a: &x {b: {c: 1}}\nd: *x\ne: &x [2]\nf: *x\n";
  const [document] = readYaml(text);
  expect(document!.value).toMatchObject({ d: { b: { c: "1" } }, f: ["2"] });
  expect(document!.positionOf(["d", "b", "c"])).toEqual({ line: 1, column: 12 });
  expect(document!.positionOf(["f", 0])).toEqual({ line: 3, column: 8 });
  expect(search).not.toHaveBeenCalled();
  search.mockRestore();
});

test("keys that stand twice are found without a comparison of each with each", () => {
  const count = 500;
  const text = Array.from({ length: count }, (_, i) => `k${i}: ${i}\n`).join("");
  const search = vi.spyOn(Array.prototype, "some");
  readYaml(text);
  const searches = search.mock.calls.length;
  search.mockRestore();
  expect(searches).toBeLessThan(count / 10);
  expect(() => readYaml(`${text}"k7": 8\n`)).toThrow("a key stands twice in one mapping");
});

test("lists within lists by aliases are nested too deeply before the stack ends", async () => {
  const levels = Array.from(
    { length: 900 },
    (_, i) => `- &l${i + 1} ${"[".repeat(9)}*l${i}${"]".repeat(9)}\n`,
  );
  expect(await messageOf(() => load(`- &l0 x\n${levels.join("")}`))).toMatch(
    /^c\.yaml:\d+:\d+: is nested too deeply$/,
  );
});

test("a text of many small parts is refused before it is parsed", async () => {
  expect(await messageOf(() => load(`a:\n  [${"1,".repeat(200_000)}]\n`))).toBe(
    "c.yaml:2:1: the text has too many parts to be read",
  );
});

test("merge keys give way to the mapping's own, and to those before them", () => {
  const text =
    "version: v1alpha1\nx: &x {type: worker, token: a}\ny: &y {token: b}\n" +
    "machine: {<<: [*y, *x], type: init}\n";
  expect(load(text).type).toBe("controlplane");
  expect(load(text).osRoot().token).toBe("b");
});

test.each(["[", "{a: ", "- "])("%j without end is refused, and does not overflow", (opening) => {
  expect(() => load(opening.repeat(50_000))).toThrow(ConfigParseError);
});
