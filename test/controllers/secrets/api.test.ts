import { organizations, readCertificate } from "#pki";
import {
  ACTIVE,
  ApiCertificates,
  EtcdSecrets,
  KubernetesDynamicCerts,
  KubernetesSecrets,
  MachineConfig,
  OSRoot,
  TrustdCertificates,
} from "#resources";
import { hours } from "#runtime";
import { expect, test } from "vitest";
import { controlPlaneConfig, mountNode } from "../control-plane.ts";

const server = (node: Awaited<ReturnType<typeof mountNode>>) =>
  readCertificate(node.spec(ApiCertificates, "api")?.server.crt ?? "");

test("apid's certificate carries the node's names and addresses and those of the configuration", async () => {
  await using node = await mountNode();
  expect(server(node).dnsNames).toEqual(["cp-1", "cp-1.example.test", "demo.example.test"]);
  expect(server(node).ipAddresses).toEqual(["127.0.0.1", "192.0.2.10"]);
  expect(server(node).extKeyUsages).toEqual(["serverAuth"]);
});

test("as a client apid is an impersonator, for other nodes to believe the roles that it passes on", async () => {
  await using node = await mountNode();
  const client = readCertificate(node.spec(ApiCertificates, "api")?.client?.crt ?? "");
  expect(organizations(client.subject)).toEqual(["os:impersonator"]);
  expect(client.extKeyUsages).toEqual(["clientAuth"]);
});

test("a name added to machine.certSANs reissues apid's server certificate and nothing else", async () => {
  await using node = await mountNode();
  const before = [
    node.spec(ApiCertificates, "api")?.client,
    node.spec(TrustdCertificates, "trustd"),
    node.spec(EtcdSecrets, "etcd"),
    node.spec(KubernetesSecrets, "k8s-certs"),
    node.spec(KubernetesDynamicCerts, "k8s-dynamic-certs"),
  ];
  const serial = server(node).serialNumber;
  await node.update(MachineConfig, ACTIVE, (draft) => {
    draft.yaml = controlPlaneConfig.replace(
      "    certSANs:\n        - demo.example.test\n",
      "    certSANs:\n        - demo.example.test\n        - added.example.test\n",
    );
  });
  expect(server(node).dnsNames).toContain("added.example.test");
  expect(server(node).serialNumber).not.toBe(serial);
  const after = [
    node.spec(ApiCertificates, "api")?.client,
    node.spec(TrustdCertificates, "trustd"),
    node.spec(EtcdSecrets, "etcd"),
    node.spec(KubernetesSecrets, "k8s-certs"),
    node.spec(KubernetesDynamicCerts, "k8s-dynamic-certs"),
  ];
  expect(after).toEqual(before);
});

test("trustd takes an added name up at its next renewal", async () => {
  await using node = await mountNode();
  await node.update(MachineConfig, ACTIVE, (draft) => {
    draft.yaml = draft.yaml.replace(/- demo.example.test/, "- added.example.test");
  });
  const trustd = () => readCertificate(node.spec(TrustdCertificates, "trustd")?.server.crt ?? "");
  // a name was dropped, too: that is taken up at once
  expect(trustd().dnsNames).toContain("added.example.test");
  await node.update(MachineConfig, ACTIVE, (draft) => {
    draft.yaml = draft.yaml.replace(
      /- added.example.test/,
      "- added.example.test\n        - x.test",
    );
  });
  expect(trustd().dnsNames).not.toContain("x.test");
  await node.advance(hours(24));
  expect(trustd().dnsNames).toContain("x.test");
});

test("accepted authorities come from the configuration, the issuing one last", async () => {
  await using node = await mountNode();
  const root = node.spec(OSRoot, "os");
  expect(node.spec(ApiCertificates, "api")?.acceptedCAs).toEqual(root?.acceptedCAs);
  expect(root?.acceptedCAs.at(-1)?.crt).toBe(root?.issuingCA?.crt);
});

test("without its configuration the certificates are withdrawn", async () => {
  await using node = await mountNode();
  await node.destroy(MachineConfig, ACTIVE);
  expect(node.spec(ApiCertificates, "api")).toBeNull();
  expect(node.spec(EtcdSecrets, "etcd")).toBeNull();
});
