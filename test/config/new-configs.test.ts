import { describe, expect, test } from "vitest";
import {
  CertSanError,
  EndpointError,
  generateMachineConfigs,
  loadMachineConfig,
  type MachineConfigSources,
  readBundle,
  TalosVersionError,
} from "#config";
import { controlplaneYaml, messageOf, secretsYaml, workerYaml } from "./demo.ts";

const { bundle } = readBundle(secretsYaml);
const demo: MachineConfigSources = {
  clusterName: "demo",
  endpoint: "https://10.0.0.2:6443",
  bundle,
  additionalSans: ["demo.example.test", "192.0.2.10"],
};
const generate = (changes: Partial<MachineConfigSources>) =>
  generateMachineConfigs({ ...demo, ...changes });

test("the demo's configurations are written byte for byte as talosctl 1.13.5 wrote them", () => {
  const { controlplane, worker } = generateMachineConfigs(demo);
  expect(controlplane).toBe(controlplaneYaml);
  expect(worker).toBe(workerYaml);
});

describe("talos-pki.md §3.3: versions", () => {
  const both = (talosVersion: string) => Object.values(generate({ talosVersion }));
  const has = (text: string, ...versions: string[]) => {
    for (const version of versions)
      for (const file of both(version)) expect(file, version).toContain(text);
  };
  const lacks = (text: string, ...versions: string[]) => {
    for (const version of versions)
      for (const file of both(version)) expect(file, version).not.toContain(text);
  };

  test("rbac and stableHostname end with 1.12, where HostnameConfig begins", () => {
    has("        rbac: true\n        stableHostname: true\n", "v1.2", "v1.11");
    lacks("rbac:", "v1.12", "v1.14");
    has("kind: HostnameConfig\nauto: stable\n", "v1.12", "v1.13", "v1.14");
    lacks("HostnameConfig", "v1.11");
  });

  test("apidCheckExtKeyUsage is written from 1.3 to 1.11", () => {
    has("        apidCheckExtKeyUsage: true\n", "v1.3", "v1.11");
    lacks("apidCheckExtKeyUsage", "v1.2", "v1.12");
  });

  test("features come with their versions", () => {
    lacks("diskQuotaSupport", "v1.4");
    has("        diskQuotaSupport: true\n", "v1.5", "v1.14");
    lacks("kubePrism", "v1.5");
    has("        kubePrism:\n            enabled: true\n            port: 7445\n", "v1.6", "v1.13");
    lacks("hostDNS", "v1.6");
    has("        hostDNS:\n            enabled: true\n", "v1.7");
    lacks("forwardKubeDNSToHost", "v1.7");
    has("forwardKubeDNSToHost: true\n", "v1.8", "v1.14");
    lacks("grubUseUKICmdline", "v1.11");
  });

  test("workers know the cluster's name from 1.8 on", () => {
    expect(loadMachineConfig(generate({ talosVersion: "v1.7" }).worker).clusterName).toBe("");
    expect(loadMachineConfig(generate({ talosVersion: "v1.8" }).worker).clusterName).toBe("demo");
    expect(loadMachineConfig(generate({ talosVersion: "v1.14" }).worker).clusterName).toBe("demo");
  });

  test("up to 1.11 the API server's names have the endpoint's host", () => {
    const sans = (talosVersion: string) =>
      loadMachineConfig(generate({ talosVersion }).controlplane).kubernetesRoot()?.certSANs;
    expect(sans("v1.11")).toEqual(["10.0.0.2", "demo.example.test", "192.0.2.10"]);
    expect(sans("v1.12")).toEqual(["demo.example.test", "192.0.2.10"]);
    expect(sans("v1.14")).toEqual(["demo.example.test", "192.0.2.10"]);
  });

  test("from 1.14 on the roots are the same, in documents of their own", () => {
    const [old, young] = ["v1.13", "v1.14"].map((talosVersion) =>
      loadMachineConfig(generate({ talosVersion }).controlplane),
    );
    expect(young?.v1alpha1?.cluster?.ca).toBeUndefined();
    expect(young?.kubernetesRoot()).toEqual(old?.kubernetesRoot());
    expect(young?.osRoot()).toEqual(old?.osRoot());
    expect(young?.etcdRoot()).toEqual(old?.etcdRoot());
    expect(young?.clusterIdentity).toEqual(old?.clusterIdentity);
    expect(young?.documents.map(({ kind }) => kind)).toContain("UnattendedInstallConfig");
  });

  test("an AES-CBC secret of old stays with its provider", () => {
    const { secretboxEncryptionSecret: secret = "", ...secrets } = bundle.secrets;
    const old = { ...bundle, secrets: { ...secrets, aescbcEncryptionSecret: secret } };
    for (const talosVersion of ["v1.2", "v1.14"]) {
      const { controlplane } = generate({ talosVersion, bundle: old });
      expect(loadMachineConfig(controlplane).kubernetesRoot()).toMatchObject({
        aesCBCEncryptionSecret: secret,
        secretboxEncryptionSecret: "",
      });
    }
  });
});

test("no worker has a private key, of any version", () => {
  const secret = /PRIVATE KEY|LS0tLS1CRUdJTiB(?!DRVJUSUZJQ0FUR)/; // base64 of PEM that is no certificate
  for (let minor = 1; minor <= 15; minor++) {
    const { controlplane, worker } = generate({ talosVersion: `v1.${minor}` });
    expect(controlplane).toMatch(secret);
    expect(worker).not.toMatch(secret);
  }
});

test("disk, images, domain and discovery are what is asked for", () => {
  const { controlplane, worker } = generate({
    installDisk: "/dev/vda",
    installImage: "registry.example/installer:x",
    kubernetesVersion: "1.35.0",
    dnsDomain: "k.example",
    clusterDiscovery: false,
    talosVersion: "v1.13.2",
  });
  expect(worker).toContain("        disk: /dev/vda\n        image: registry.example/installer:x\n");
  expect(controlplane).toContain("image: registry.k8s.io/kube-proxy:v1.35.0\n");
  expect(controlplane).toContain("dnsDomain: k.example\n");
  expect(controlplane).toContain("    discovery:\n        enabled: false\n");
});

test("the installer is of the Talos version", () => {
  const image = (talosVersion: string) =>
    /installer:(\S+)/.exec(generate({ talosVersion }).worker)?.[1];
  expect(image("v1.13")).toBe("v1.13.5");
  expect(image("v1.13.2")).toBe("v1.13.2");
  expect(image("v1.12")).toBe("v1.12.0");
});

test("no disk is none", () => {
  expect(generate({ installDisk: "" }).worker).not.toContain("disk:");
  expect(generate({ installDisk: "", talosVersion: "v1.14" }).worker).not.toContain("Unattended");
});

test.each([
  ["10.0.0.2", "https://10.0.0.2:6443"],
  ["http://10.0.0.2:80", "https://10.0.0.2:80"],
  ["k.example:6443", "https://k.example:6443"],
  ["", "https://HOST:6443"],
])("endpoint %j is refused, and %s is proposed", async (endpoint, proposal) => {
  expect(() => generate({ endpoint })).toThrow(EndpointError);
  expect(await messageOf(() => generate({ endpoint }))).toMatch(new RegExp(`; try ${proposal}$`));
});

test("names for certificates and versions are checked", () => {
  expect(() => generate({ additionalSans: ["a b"] })).toThrow(CertSanError);
  expect(() => generate({ talosVersion: "latest" })).toThrow(TalosVersionError);
});
