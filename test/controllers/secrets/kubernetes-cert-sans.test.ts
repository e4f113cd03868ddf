import { CertSAN, HostnameStatus, KubernetesRoot } from "#resources";
import { expect, test } from "vitest";
import { kubernetesCertSANsController } from "../../../src/controllers/secrets/kubernetes-cert-sans.ts";
import { demoKubernetesRoot, mountAmid } from "../surroundings.ts";

async function namesOf(change: Partial<ReturnType<typeof demoKubernetesRoot>>) {
  await using t = await mountAmid(kubernetesCertSANsController());
  await t.create(KubernetesRoot, "k8s", { ...demoKubernetesRoot(), ...change });
  return t.spec(CertSAN, "k8s");
}

test("kube-apiserver has the names of the service, of the node, and those of the configuration", async () => {
  expect(await namesOf({ dnsDomain: "corp.test" })).toEqual({
    ips: ["10.0.0.2", "10.96.0.1", "127.0.0.1", "192.0.2.7", "192.0.2.10", "2001:db8::7"],
    dnsNames: [
      "cp-1",
      "cp-1.example.test",
      "demo.example.test",
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.corp.test",
      "localhost",
    ],
    fqdn: "",
  });
});

test.each([
  ["https://k8s.example.test.:6443", "k8s.example.test", undefined],
  ["https://[2001:DB8:0::9]:6443", undefined, "2001:db8::9"],
  ["https://198.51.100.4", undefined, "198.51.100.4"],
  ["no URL", undefined, undefined],
])("the host of the endpoint %s is a name or an address", async (endpoint, name, address) => {
  const names = await namesOf({ endpoint, certSANs: [] });
  const own = (list: readonly string[] = []) =>
    list.filter((text) => /^k8s\.|9$|^198/.test(text) && text !== "2001:db8::7");
  expect(own(names?.dnsNames)).toEqual(name === undefined ? [] : [name]);
  expect(own(names?.ips)).toEqual(address === undefined ? [] : [address]);
});

test("without the hostname the names stay as they are, without the root they are withdrawn", async () => {
  await using t = await mountAmid(kubernetesCertSANsController());
  await t.create(KubernetesRoot, "k8s", demoKubernetesRoot());
  const before = t.resource(CertSAN, "k8s");
  await t.destroy(HostnameStatus, "hostname");
  await t.update(KubernetesRoot, "k8s", (draft) => void draft.certSANs.push("late.test"));
  expect(t.resource(CertSAN, "k8s")).toBe(before);
  await t.destroy(KubernetesRoot, "k8s");
  expect(t.spec(CertSAN, "k8s")).toBeNull();
});
