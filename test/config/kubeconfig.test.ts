import { expect, test } from "vitest";
import { parse } from "yaml";
import { KubeconfigParseError, readBundle, readKubeconfig, writeKubeconfig } from "#config";
import { base64, messageOf, secretsYaml } from "./demo.ts";

const { k8s, etcd } = readBundle(secretsYaml).bundle.certs;
const text = writeKubeconfig({
  cluster: "demo",
  endpoint: "https://10.0.0.2:6443",
  ca: k8s.crt,
  user: "admin",
  ...etcd,
});

test("a kubeconfig has one cluster, one user, and the context of the two", () => {
  expect(parse(text)).toEqual({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "demo",
        cluster: {
          server: "https://10.0.0.2:6443",
          "certificate-authority-data": base64(k8s.crt),
        },
      },
    ],
    users: [
      {
        name: "admin@demo",
        user: {
          "client-certificate-data": base64(etcd.crt),
          "client-key-data": base64(etcd.key),
        },
      },
    ],
    contexts: [
      {
        name: "admin@demo",
        context: { cluster: "demo", namespace: "default", user: "admin@demo" },
      },
    ],
    "current-context": "admin@demo",
  });
});

test("its certificate and key are read back", () => {
  expect(readKubeconfig(text)).toEqual(etcd);
});

test.each(["", "users: []", "a: [", "users: [{user: {token: x}}]"])(
  "%j has no certificate",
  async (other) => {
    expect(() => readKubeconfig(other, "k.conf")).toThrow(KubeconfigParseError);
    expect(await messageOf(() => readKubeconfig(other, "k.conf"))).toMatch(/^k\.conf:/);
  },
);
