import { describe, expect, test } from "vitest";
import {
  BundleInvalidError,
  BundleParseError,
  bundleFromKubernetesPki,
  bundleFromMachineConfig,
  isToken,
  issueBundle,
  type KubernetesPki,
  loadBundle,
  loadMachineConfig,
  readBundle,
  writeBundle,
} from "#config";
import { formatName, readCertificate } from "#pki";
import { at, systemRandom } from "#runtime";
import {
  authority,
  base64,
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

const load = (text: string, strict = false) =>
  loadBundle(text, { source: "secrets.yaml", keys, now, strict });
const lineOf = (text: string, ...fields: string[]) => {
  const lines = text.split("\n");
  return fields.reduce((from, field) => {
    const below = lines.slice(from).findIndex((line) => line.trim().startsWith(`${field}:`));
    return from + below + 1;
  }, 0);
};

test("the demo's secrets.yaml is written as it was read, byte for byte", () => {
  const { bundle, warnings } = readBundle(secretsYaml, "secrets.yaml");
  expect(warnings).toEqual([]);
  expect(writeBundle(bundle)).toBe(secretsYaml);
});

test("the demo's secrets.yaml passes the strict checks", async () => {
  expect((await load(secretsYaml, true)).warnings).toEqual([]);
});

test("keys in the casing of JSON are read, and a warning names the first", () => {
  const text = secretsYaml
    .replace("cluster:", "Cluster:")
    .replace("    id:", "    Id:")
    .replace("trustdinfo:", "TrustdInfo:")
    .replace("    token:", "    Token:")
    .replace("    bootstraptoken:", "    BootstrapToken:")
    .replace("    k8saggregator:", "    K8sAggregator:")
    .replaceAll("        crt:", "        Crt:");
  const { bundle, warnings } = readBundle(text, "secrets.yaml");
  expect(warnings).toEqual([
    expect.stringMatching(/^secrets\.yaml:1: .*Cluster should be cluster/),
  ]);
  expect(writeBundle(bundle)).toBe(secretsYaml);
});

test("a lower-case key wins over another spelling of it", () => {
  const { bundle } = readBundle(`${secretsYaml}Cluster:\n    id: other\n    secret: other\n`);
  expect(writeBundle(bundle)).toBe(secretsYaml);
});

test("only the first document counts", () => {
  const { bundle } = readBundle(`${secretsYaml}---\ncluster: 7\n`);
  expect(writeBundle(bundle)).toBe(secretsYaml);
});

test("a token of digits stays a token", () => {
  const text = changed(secretsYaml, ["trustdinfo.token", "123456.7890123456789010"]);
  const plain = text.replace(/"(123456\.\d+)"/, "$1");
  expect(plain).toContain("token: 123456.7890123456789010\n");
  expect(readBundle(plain).bundle.trustdInfo.token).toBe("123456.7890123456789010");
  expect(writeBundle(readBundle(plain).bundle)).toContain('token: "123456.7890123456789010"\n');
});

describe("talos-pki.md §3.2", () => {
  const one =
    "one of [secrets.secretboxencryptionsecret, secrets.aescbcencryptionsecret] is required";
  const both =
    "only one of [secrets.secretboxencryptionsecret, secrets.aescbcencryptionsecret] is allowed";
  test.each([
    ["cluster", undefined, "cluster is required"],
    ["secrets", undefined, "secrets is required"],
    ["trustdinfo", undefined, "trustdinfo is required"],
    ["certs", undefined, "certs is required"],
    ["cluster.id", "", "cluster.id is required"],
    ["cluster.secret", undefined, "cluster.secret is required"],
    ["secrets.bootstraptoken", "", "secrets.bootstraptoken is required"],
    ["trustdinfo.token", "", "trustdinfo.token is required"],
    ["secrets.secretboxencryptionsecret", undefined, one],
    ["secrets.aescbcencryptionsecret", "AAAA", both],
    ["certs.etcd", undefined, "certs.etcd is required"],
    ["certs.k8s", undefined, "certs.k8s is required"],
    ["certs.k8saggregator", undefined, "certs.k8saggregator is required"],
    ["certs.os", undefined, "certs.os is required"],
    ["certs.k8sserviceaccount", undefined, "certs.k8sserviceaccount is required"],
    ["certs.os.crt", base64("none"), "certs.os is invalid: crt: "],
    ["certs.os.key", base64("none"), "certs.os is invalid: key: "],
    ["certs.k8sserviceaccount.key", "", "certs.k8sserviceaccount.key is invalid: "],
  ])("%s %j: %s", async (path, value, message) => {
    const text = changed(secretsYaml, [path, value]);
    expect(() => readBundle(text, "secrets.yaml")).toThrow(BundleInvalidError);
    const [header, line, ...more] = (await messageOf(() => load(text))).split("\n");
    expect(header).toBe("1 error occurred:");
    expect(line).toMatch(/^\t\* secrets\.yaml:\d+: /);
    expect(line).toContain(message);
    expect(more).toEqual([]);
  });

  test("all problems are named under one header", async () => {
    const text = changed(
      secretsYaml,
      ["cluster.id", ""],
      ["certs.os", undefined],
      ["trustdinfo", {}],
    );
    expect(await messageOf(() => readBundle(text, "s.yaml"))).toMatch(
      /^3 errors occurred:\n\t\* s\.yaml:2: cluster\.id is required\n\t\* .*\n\t\* .*$/,
    );
  });
});

describe("what Talos does not check", () => {
  test("a key of another certificate", async () => {
    const { key } = await authority();
    const text = changed(secretsYaml, ["certs.os.key", base64(key)]);
    expect(await messageOf(() => load(text))).toContain(
      `secrets.yaml:${lineOf(text, "os", "key")}: certs.os.key: does not match the certificate`,
    );
  });

  test("a leaf where an authority belongs", async () => {
    const text = changed(secretsYaml, ["certs.k8s", encoded(await leaf())]);
    expect(await messageOf(() => load(text))).toContain(
      `secrets.yaml:${lineOf(text, "k8s", "crt")}: certs.k8s.crt: is a leaf`,
    );
  });

  test("an authority that has expired", async () => {
    const text = changed(secretsYaml, ["certs.os", encoded(await authority(at("2010-01-01")))]);
    expect(await messageOf(() => load(text))).toContain("certs.os.crt: expired at 20");
  });

  test("a certificate where a key belongs, and text that is not base64", async () => {
    const { crt } = await authority();
    const text = changed(secretsYaml, ["certs.os.key", base64(crt)], ["certs.etcd.crt", "%%%"]);
    const message = await messageOf(() => load(text));
    expect(message).toContain('certs.os is invalid: key: found a PEM block "CERTIFICATE"');
    expect(message).toContain("certs.etcd is invalid: crt is not base64");
  });

  test("a key that was taken out", async () => {
    const text = changed(secretsYaml, ["certs.os.key", "******"]);
    expect(await messageOf(() => load(text))).toContain("certs.os is invalid: key: is taken out");
  });

  test("a damaged key under the right label", async () => {
    const pem = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    const text = changed(secretsYaml, ["certs.k8sserviceaccount.key", base64(pem)]);
    expect(await messageOf(() => load(text))).toContain("certs.k8sserviceaccount.key is invalid: ");
  });

  test("form of a token and a future authority: a warning, and strictly an error", async () => {
    const future = encoded(await authority(at("2040-01-01")));
    const text = changed(secretsYaml, ["trustdinfo.token", "short"], ["certs.os", future]);
    const { warnings } = await load(text);
    expect(warnings).toEqual([
      expect.stringContaining("certs.os.crt: is not valid before 2039-12-31T23:45:00Z"),
      expect.stringContaining("trustdinfo.token: is not of the form of a token"),
    ]);
    const message = await messageOf(() => load(text, true));
    expect(message).toMatch(/^2 errors occurred:\n\t\* warning: secrets\.yaml:\d+: certs\.os\.crt/);
  });
});

test.each([
  ["cluster:\n\tid: x\n", /^s\.yaml:2:\d+: /],
  ['cluster:\n    id: "x\n', /^s\.yaml:\d+:\d+: /],
  ["- a\n", /^s\.yaml:1: is not a mapping/],
  ["", /^s\.yaml: holds nothing/],
])("%j is no bundle", async (text, message) => {
  expect(() => readBundle(text, "s.yaml")).toThrow(BundleParseError);
  expect(await messageOf(() => readBundle(text, "s.yaml"))).toMatch(message);
});

describe("a new bundle", () => {
  const issue = (talosVersion: string) =>
    issueBundle({ talosVersion, keys, random: systemRandom, now });

  test("has four authorities of one beginning, and passes its own checks", async () => {
    const bundle = await issue("v1.6");
    const { etcd, k8s, k8sAggregator, os } = bundle.certs;
    const certificates = [etcd, k8s, k8sAggregator, os].map(({ crt }) => readCertificate(crt));
    expect(new Set(certificates.map(({ notBefore }) => notBefore)).size).toBe(1);
    expect(certificates.map(({ subject }) => formatName(subject))).toEqual([
      "O = etcd",
      "O = kubernetes",
      "",
      "O = talos",
    ]);
    expect((await load(writeBundle(bundle), true)).bundle).toEqual(bundle);
  });

  test("has an EC service-account key and a secretbox secret for 1.6", async () => {
    const { certs, secrets } = await issue("v1.6");
    expect(certs.k8sServiceAccount.key).toContain("-----BEGIN EC PRIVATE KEY-----");
    expect(Object.keys(secrets)).toEqual(["bootstrapToken", "secretboxEncryptionSecret"]);
  });

  test("has an AES-CBC secret for 1.2", async () => {
    const { secrets } = await issue("v1.2.8");
    expect(Object.keys(secrets)).toEqual(["bootstrapToken", "aescbcEncryptionSecret"]);
  });

  test("has an RSA-4096 service-account key from 1.7 on", async () => {
    const { certs } = await issue("v1.7");
    expect((await keys.readKey(certs.k8sServiceAccount.key)).algorithm).toBe("RSA-4096");
    expect(certs.k8sServiceAccount.key).toContain("-----BEGIN RSA PRIVATE KEY-----");
  });

  test("has two tokens of its own, an id and a secret of 32 bytes", async () => {
    const { secrets, trustdInfo, cluster } = await issue("v1.6");
    expect([secrets.bootstrapToken, trustdInfo.token].every(isToken)).toBe(true);
    expect(secrets.bootstrapToken).not.toBe(trustdInfo.token);
    expect(Buffer.from(cluster.secret, "base64")).toHaveLength(32);
    expect(cluster.id).toMatch(/^[A-Za-z0-9_-]{43}=$/);
  });

  test("refuses a version that is none", async () => {
    expect(await messageOf(() => issue("1.13"))).toContain('"1.13" is not a version of Talos');
  });
});

describe("a bundle from a Kubernetes PKI", () => {
  const { certs } = readBundle(secretsYaml).bundle;
  const files: KubernetesPki = {
    "ca.crt": certs.k8s.crt,
    "ca.key": certs.k8s.key,
    "etcd/ca.crt": certs.etcd.crt,
    "etcd/ca.key": certs.etcd.key,
    "front-proxy-ca.crt": certs.k8sAggregator.crt,
    "front-proxy-ca.key": certs.k8sAggregator.key,
    "sa.key": certs.k8sServiceAccount.key,
  };
  const options = { talosVersion: "v1.13", keys, random: systemRandom, now };

  test("keeps the authorities and has a new Talos root", async () => {
    const bundle = await bundleFromKubernetesPki(files, { ...options, bootstrapToken: "my.token" });
    expect({ ...bundle.certs, os: certs.os }).toEqual(certs);
    expect(bundle.certs.os.crt).not.toBe(certs.os.crt);
    expect(bundle.secrets.bootstrapToken).toBe("my.token");
    expect(() => readBundle(writeBundle(bundle))).not.toThrow();
  });

  test("draws a token where none is given", async () => {
    const { secrets } = await bundleFromKubernetesPki(files, options);
    expect(isToken(secrets.bootstrapToken)).toBe(true);
  });

  test("names each file that is not what it should be", async () => {
    const broken = { ...files, "etcd/ca.key": certs.k8s.key, "sa.key": certs.os.crt, "ca.key": "" };
    const message = await messageOf(() => bundleFromKubernetesPki(broken, options));
    expect(message).toMatch(/^3 errors occurred:\n/);
    expect(message).toContain("ca.key: is empty");
    expect(message).toContain("etcd/ca.key: does not match the certificate beside it");
    expect(message).toContain('sa.key: private key: found a PEM block "CERTIFICATE"');
  });
});

describe("a bundle from a machine configuration", () => {
  test("of a control plane is that which the configuration was made from", () => {
    const bundle = bundleFromMachineConfig(loadMachineConfig(controlplaneYaml));
    expect(writeBundle(bundle)).toBe(secretsYaml);
  });

  test("of a worker is refused, with what is missing", async () => {
    const worker = loadMachineConfig(workerYaml, "worker.yaml");
    const message = await messageOf(() => bundleFromMachineConfig(worker));
    expect(message).toMatch(/^worker\.yaml does not hold, .*machine\.ca.*cluster\.etcd\.ca/);
  });
});
