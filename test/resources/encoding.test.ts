/** How specs look on the wire, against bytes worked out by hand (talos-pki.md §5.1), and what kinds are called. */
import {
  AcceptedRoot,
  ApiCertificates,
  CertificateStatus,
  CertSAN,
  EncryptionSalt,
  HostnameStatus,
  kinds,
  KubeletSecrets,
  KubernetesRoot,
  KubernetesSecrets,
  JoinToken,
  MachineConfig,
  MachineToken,
  NodeCertificate,
  MachineType,
  NetworkStatus,
  NodeAddress,
  OSRoot,
  TimeStatus,
  TrustdCertificates,
} from "#resources";
import { ControllerStatus, type AnyResourceType, type SpecEncoding, systemRandom } from "#runtime";
import { aliasCollisions } from "#runtime/engine";
import { authorityProfiles, issueAuthority, webCryptoKeys } from "#pki";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { kindNames } from "../../src/runtime/meta/index.ts";
import { maintenanceRootController } from "../../src/controllers/secrets/maintenance-root.ts";
import { controlPlaneConfig, mountNode, START } from "../controllers/control-plane.ts";
import { demoKubernetesRoot } from "../controllers/surroundings.ts";

const hex = <Spec>(
  { encoding }: { readonly encoding: SpecEncoding<Spec> },
  spec: Parameters<NonNullable<SpecEncoding<Spec>["proto"]>>[0],
) => Buffer.from(encoding.proto?.(spec) ?? []).toString("hex");

const yaml = <Spec>(
  { encoding }: { readonly encoding: SpecEncoding<Spec> },
  spec: Parameters<NonNullable<SpecEncoding<Spec>["yaml"]>>[0],
) => encoding.yaml?.(spec);

const pair = { crt: "C", key: "K" };
const pairBytes = "0a0143" + "12014b";
const base64 = { crt: "Qw==", key: "Sw==" };

test("apid's certificates: a client that is not there is left out, a switch that is off is, too", () => {
  const spec = {
    acceptedCAs: [{ crt: "A" }, { crt: "B" }],
    client: null,
    server: pair,
    skipVerifyingClientCert: false,
  };
  expect(hex(ApiCertificates, spec)).toBe(`1a06${pairBytes}` + "22030a0141" + "22030a0142");
  expect(hex(ApiCertificates, { ...spec, client: pair, skipVerifyingClientCert: true })).toBe(
    `1206${pairBytes}1a06${pairBytes}` + "22030a0141" + "22030a0142" + "2801",
  );
  expect(yaml(ApiCertificates, spec)).toEqual({
    acceptedCAs: [{ crt: "QQ==" }, { crt: "Qg==" }],
    client: null,
    server: base64,
    skipVerifyingClientCert: false,
  });
});

test("trustd's: the accepted authorities have another number than apid's", () => {
  expect(hex(TrustdCertificates, { acceptedCAs: [{ crt: "A" }], server: pair })).toBe(
    `1206${pairBytes}` + "1a030a0141",
  );
});

test("the Talos API root: a worker's has no key, addresses are raw bytes", () => {
  const spec = {
    issuingCA: pair,
    certSANIPs: ["192.0.2.10", "2001:db8::a:7"],
    certSANDNSNames: ["a.b"],
    token: "t",
    acceptedCAs: [{ crt: "A" }],
  };
  const rest =
    "12060a04c000020a" +
    "12120a1020010db80000000000000000000a0007" +
    "1a03612e62" +
    "220174" +
    "2a030a0141";
  expect(hex(OSRoot, spec)).toBe(`0a06${pairBytes}${rest}`);
  expect(hex(OSRoot, { ...spec, issuingCA: null })).toBe(rest);
  expect(yaml(OSRoot, spec)).toMatchObject({ issuingCA: base64, token: "t" });
});

test.each([
  ["::", "00".repeat(16)],
  ["::1", "00".repeat(15) + "01"],
  ["2001:db8::", "20010db8" + "00".repeat(12)],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
])("the address %s is 16 bytes", (address, bytes) => {
  expect(hex(CertSAN, { ips: [address], dnsNames: [], fqdn: "" })).toBe(`0a120a10${bytes}`);
});

test("an address of the node is a prefix of full length", () => {
  const spec = { addresses: ["127.0.0.1", "::1"], sortAlgorithm: "v1" as const };
  expect(hex(NodeAddress, spec)).toBe(
    "0a080a047f0000011020" + `0a150a10${"00".repeat(15)}01` + "108001",
  );
  expect(yaml(NodeAddress, spec)).toEqual({
    addresses: ["127.0.0.1/32", "::1/128"],
    sortAlgorithm: "v1",
  });
});

test("names of certificates", () => {
  expect(hex(CertSAN, { ips: ["10.0.0.1"], dnsNames: ["a", ""], fqdn: "f" })).toBe(
    "0a060a040a000001" + "120161" + "1200" + "1a0166",
  );
});

test("the Kubernetes root: numbers above 15 take two bytes, retired ones are not used", () => {
  const texts = { name: "n", endpoint: "e", localEndpoint: "l", dnsDomain: "d", issuerURL: "u" };
  const spec = {
    ...texts,
    certSANs: ["s"],
    apiServerIPs: ["10.96.0.1"],
    issuingCA: pair,
    acceptedCAs: [{ crt: "A" }],
    aggregatorCA: pair,
    acceptedAggregatorCAs: [{ crt: "B" }],
    serviceAccount: { key: "K" },
    serviceAccountAcceptedKeys: [{ key: "P" }],
    acceptedIssuers: ["i"],
    apiAudiences: ["a"],
    aesCBCEncryptionSecret: "",
    secretboxEncryptionSecret: "x",
    bootstrapTokenID: "t",
    bootstrapTokenSecret: "y",
  };
  expect(hex(KubernetesRoot, spec)).toBe(
    [
      ...["0a016e", "12030a0165", "1a030a016c", "220173", "320164"],
      ...[`3a06${pairBytes}`, "42030a014b", `4a06${pairBytes}`],
      ...["5a0174", "620179", "6a0178", "72060a040a600001", "7a030a0141"],
      ...["8a01030a0142", "9201030a0150", "9a010175", "a2010169", "aa010161"],
    ].join(""),
  );
  expect(hex(KubernetesRoot, { ...spec, aesCBCEncryptionSecret: "z" })).toContain("52017a" + "5a");
  const shown = yaml(KubernetesRoot, spec) as Record<string, unknown>;
  expect(Object.keys(shown).slice(0, 3)).toEqual(["name", "endpoint", "local_endpoint"]);
  expect(shown).toMatchObject({ issuingCA: base64, serviceAccount: { key: "Sw==" } });
  expect(shown).not.toHaveProperty("localEndpoint");
});

test("small kinds", () => {
  const kubelet = { endpoint: "e", bootstrapTokenID: "i", bootstrapTokenSecret: "s" };
  expect(hex(KubeletSecrets, { ...kubelet, acceptedCAs: [{ crt: "A" }] })).toBe(
    "0a030a0165" + "1a0169" + "220173" + "2a030a0141",
  );
  expect(
    hex(KubernetesSecrets, {
      schedulerKubeconfig: "s",
      controllerManagerKubeconfig: "c",
      localhostAdminKubeconfig: "l",
      adminKubeconfig: "a",
    }),
  ).toBe("220173" + "2a0163" + "32016c" + "3a0161");
  expect(hex(HostnameStatus, { hostname: "h", domainname: "" })).toBe("0a0168");
  const time = { synced: true, epoch: 300, syncDisabled: true, source: "x" };
  expect(hex(TimeStatus, time)).toBe("0801" + "10ac02" + "1801");
  const ready = { addressReady: true, connectivityReady: false, hostnameReady: true };
  expect(hex(NetworkStatus, { ...ready, etcFilesReady: true })).toBe("0801" + "1801" + "2001");
});

test("the salt is base64 at rest, bytes in protobuf, numbers in YAML", () => {
  expect(hex(EncryptionSalt, { diskSalt: "AP+A" })).toBe("0a03" + "00ff80");
  expect(yaml(EncryptionSalt, { diskSalt: "AP+A" })).toEqual({ diskSalt: [0, 255, 128] });
});

test("a machine's type is a number in protobuf and a word in YAML", () => {
  expect(hex(MachineType, { type: "controlplane" })).toBe("0802");
  expect(hex(MachineType, { type: "worker" })).toBe("0803");
  expect(yaml(MachineType, { type: "worker" })).toBe("worker");
});

test("a machine configuration is its text as it is, not UTF-8 taken for something else", () => {
  expect(hex(MachineConfig, { yaml: "é" })).toBe("0a02c3a9");
  expect(yaml(MachineConfig, { yaml: "a: é\n" })).toBe("a: é\n");
});

test("public key material is base64, too", () => {
  const spec = { count: 1, acceptedCAs: [{ crt: "C" }], acceptedKeys: [{ key: "K" }] };
  expect(yaml(AcceptedRoot, spec)).toMatchObject({
    acceptedCAs: [{ crt: "Qw==" }],
    acceptedKeys: [{ key: "Sw==" }],
  });
});

/** Sensitive kinds of what joins, and of what it joins with: nobody has joined here. */
const ofJoining = [JoinToken, MachineToken, NodeCertificate].map(({ type }) => type);

/** What nobody but an administrator may see of the demo cluster. */
const secrets = [
  /PRIVATE KEY/,
  /client-key-data/,
  /diskSalt/,
  /rmdc2g\.7cpldjf0sknmkp3e/,
  /tgp9llnuw1irhltr/,
];

test("the kinds that hold secrets, and the names of certificates, are the sensitive ones", async () => {
  await using node = await mountNode();
  await using fresh = await mount(
    maintenanceRootController({
      issue: (now) =>
        issueAuthority(authorityProfiles.maintenance, {
          keys: webCryptoKeys(),
          random: systemRandom,
          now,
        }),
    }),
    { now: START },
  );
  const isSecret = (kind: AnyResourceType) => {
    const stored = JSON.stringify([...node.list(kind), ...fresh.list(kind)]);
    return secrets.some((secret) => secret.test(stored));
  };
  const holding = [...kinds, ControllerStatus].filter(isSecret).map(({ type }) => type);
  const sensitive = kinds.filter((kind) => kind.sensitivity === "sensitive");
  expect(sensitive.map(({ type }) => type).sort()).toEqual(
    [...holding, CertSAN.type, ...ofJoining].sort(),
  );
  expect(node.list(CertificateStatus).length).toBeGreaterThan(0);
});

test("sensitive are those of Talos, and those of joining, no more and no less", () => {
  const sensitive = kinds.filter(
    ({ sensitivity, type }) => sensitivity === "sensitive" && !ofJoining.includes(type),
  );
  expect(sensitive.map(({ type }) => type.replace(/\.(secrets|config)\..*/, "")).sort()).toEqual([
    "ApiCertificates",
    "CertSANs",
    "EncryptionSalts",
    "EtcdRootSecrets",
    "EtcdSecrets",
    "KubeletSecrets",
    "KubernetesDynamicCerts",
    "KubernetesRootSecrets",
    "KubernetesSecrets",
    "MachineConfigs",
    "MaintenanceRootSecrets",
    "OSRootSecrets",
    "TrustdCertificates",
  ]);
});

test("every kind that a node stores has a schema that takes what is stored", async () => {
  await using node = await mountNode();
  const root = node.spec(KubernetesRoot, "k8s");
  expect(root).toEqual({
    ...demoKubernetesRoot(),
    serviceAccountAcceptedKeys: root?.serviceAccountAcceptedKeys,
  });
  for (const kind of kinds) {
    for (const { spec, metadata } of node.list(kind)) {
      const result = await kind.schema["~standard"].validate(spec);
      expect(result.issues, `${kind.type}/${metadata.id}`).toBeUndefined();
      if (!result.issues) expect(result.value).toEqual(spec);
    }
  }
  expect(node.spec(MachineConfig, "v1alpha1")?.yaml).toBe(controlPlaneConfig);
});

test("every type is a plural with a suffix, as COSI asks for it", () => {
  for (const kind of kinds) {
    const { displayType, allAliases } = kindNames(kind);
    expect(allAliases, kind.type).toContain(displayType.toLowerCase());
  }
  expect(new Set(kinds.map(({ type }) => type.toLowerCase())).size).toBe(kinds.length);
});

test("what a kind is called by itself leads to it alone: only abbreviations are ambiguous", () => {
  const ambiguous = new Set(
    aliasCollisions([...kinds, ControllerStatus]).map(({ alias }) => alias),
  );
  for (const kind of kinds) {
    const { displayType } = kindNames(kind);
    const plural = kind.type.split(".")[0] ?? "";
    for (const name of [displayType, plural, kind.type])
      expect(ambiguous.has(name.toLowerCase()), name).toBe(false);
  }
});

test("abbreviations that Talos' users type are not made ambiguous", () => {
  const ambiguous = new Set(aliasCollisions([...kinds, ControllerStatus]).map((c) => c.alias));
  for (const alias of ["osrs", "ers", "krs", "kdc", "kdcs", "csan", "csans", "tc", "tcs", "mc"])
    expect(ambiguous.has(alias), alias).toBe(false);
});
