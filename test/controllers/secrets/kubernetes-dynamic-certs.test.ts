import {
  ACTIVE,
  CertSAN,
  KubernetesDynamicCerts,
  KubernetesRoot,
  MachineConfig,
  NetworkStatus,
  TimeStatus,
} from "#resources";
import { expect, test } from "vitest";
import { kubernetesDynamicCertsController } from "../../../src/controllers/secrets/kubernetes-dynamic-certs.ts";
import { demoRoots } from "../../pki/demo.ts";
import { controlPlaneConfig, mountNode } from "../control-plane.ts";
import {
  complete,
  demoKubernetesRoot,
  differing,
  factsOf,
  firstDue,
  isUnder,
  issueLeaf,
  mountAmid,
  network,
  otherRoot,
  serialNumbers,
  time,
} from "../surroundings.ts";

const names = { ips: ["10.96.0.1", "127.0.0.1"], dnsNames: ["kubernetes", "localhost"], fqdn: "" };

async function mounted(options?: Parameters<typeof mountAmid>[1]) {
  const t = await mountAmid(kubernetesDynamicCertsController({ issueLeaf }), options);
  await t.create(KubernetesRoot, "k8s", demoKubernetesRoot());
  await t.create(CertSAN, "k8s", names);
  return { ...t, leaves: () => complete(t.spec(KubernetesDynamicCerts, "k8s-dynamic-certs")) };
}

test("kube-apiserver serves by its names; as a client of kubelets and of aggregated APIs it has none", async () => {
  await using t = await mounted();
  const { apiServer, apiServerKubeletClient, frontProxy } = t.leaves();
  const keyUsages = ["digitalSignature", "keyEncipherment"];
  expect(factsOf(apiServer)).toEqual({
    subject: "O = kube-master, CN = kube-apiserver",
    dnsNames: names.dnsNames,
    ipAddresses: names.ips,
    keyUsages,
    extKeyUsages: ["serverAuth"],
  });
  const client = { dnsNames: [], ipAddresses: [], keyUsages, extKeyUsages: ["clientAuth"] };
  expect(factsOf(apiServerKubeletClient)).toEqual({
    subject: "O = system:masters, CN = apiserver-kubelet-client",
    ...client,
  });
  expect(factsOf(frontProxy)).toEqual({ subject: "CN = front-proxy-client", ...client });
});

test("the front proxy stands under the aggregator root, the others under that of Kubernetes", async () => {
  await using t = await mounted();
  const { apiServer, apiServerKubeletClient, frontProxy } = t.leaves();
  expect(await isUnder(apiServer, demoRoots.kubernetes)).toBe(true);
  expect(await isUnder(apiServerKubeletClient, demoRoots.kubernetes)).toBe(true);
  expect(await isUnder(frontProxy, demoRoots.aggregator)).toBe(true);
});

test("they wait for the clock and the hostname, and are kept when one is lost", async () => {
  await using t = await mounted({ synced: false, hostnameReady: false });
  await t.update(TimeStatus, "node", () => time(true));
  expect(t.leaves()).toBeNull();
  await t.update(TimeStatus, "node", () => time(false));
  await t.update(NetworkStatus, "status", () => network(true, true));
  expect(t.leaves()).toBeNull();
  await t.update(TimeStatus, "node", () => time(true));
  const before = t.leaves();
  expect(before).not.toBeNull();
  await t.update(TimeStatus, "node", () => time(false));
  await t.destroy(CertSAN, "k8s");
  expect(t.leaves()).toBe(before);
});

test("each is renewed when it is due, not before, and alone", async () => {
  await using t = await mounted();
  const before = t.leaves();
  const { kubernetes, aggregator } = demoRoots;
  const due = firstDue(before, {
    apiServer: kubernetes,
    apiServerKubeletClient: kubernetes,
    frontProxy: aggregator,
  });
  await t.advance(due.at - t.clock.now() - 1);
  expect(t.leaves()).toBe(before);
  await t.advance(1);
  expect(differing(before, t.leaves())).toEqual([due.name]);
});

test("another root reissues what stands under it", async () => {
  await using t = await mounted();
  const [first, aggregator, kubernetes] = [
    t.leaves(),
    await otherRoot("aggregator"),
    await otherRoot("kubernetes"),
  ];
  await t.update(KubernetesRoot, "k8s", (draft) => void (draft.aggregatorCA = aggregator));
  const second = t.leaves();
  expect(differing(first, second)).toEqual(["frontProxy"]);
  await t.update(KubernetesRoot, "k8s", (draft) => void (draft.issuingCA = kubernetes));
  expect(differing(second, t.leaves())).toEqual(["apiServer", "apiServerKubeletClient"]);
  await t.destroy(KubernetesRoot, "k8s");
  expect(t.leaves()).toBeNull();
});

test("a name added to cluster.apiServer.certSANs reissues kube-apiserver's certificate only", async () => {
  await using node = await mountNode();
  const before = serialNumbers(node);
  const indent = " ".repeat(12);
  await node.update(MachineConfig, ACTIVE, () => ({
    yaml: controlPlaneConfig.replace(
      `\n${indent}- demo.example.test\n`,
      `\n${indent}- demo.example.test\n${indent}- added.example.test\n`,
    ),
  }));
  expect(differing(before, serialNumbers(node))).toEqual(["kube-apiserver"]);
  const held = complete(node.spec(KubernetesDynamicCerts, "k8s-dynamic-certs"));
  expect(factsOf(held.apiServer).dnsNames).toContain("added.example.test");
});
