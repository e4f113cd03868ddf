import { readKubeconfig } from "#config";
import { KubernetesRoot, KubernetesSecrets, TimeStatus } from "#resources";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { kubernetesController } from "../../../src/controllers/secrets/kubernetes.ts";
import { demoRoots } from "../../pki/demo.ts";
import {
  demoKubernetesRoot,
  differing,
  factsOf,
  firstDue,
  isUnder,
  issueLeaf,
  mountAmid,
  otherRoot,
  time,
} from "../surroundings.ts";

const kubeconfigs = [
  "adminKubeconfig",
  "controllerManagerKubeconfig",
  "localhostAdminKubeconfig",
  "schedulerKubeconfig",
] as const;

async function mounted(options?: Parameters<typeof mountAmid>[1]) {
  const t = await mountAmid(kubernetesController({ issueLeaf }), options);
  await t.create(KubernetesRoot, "k8s", demoKubernetesRoot());
  const held = () => t.spec(KubernetesSecrets, "k8s-certs")!;
  const leaves = () => Object.fromEntries(kubeconfigs.map((n) => [n, readKubeconfig(held()[n])]));
  return { ...t, held, leaves };
}

interface Kubeconfig {
  readonly clusters: {
    readonly name: string;
    readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
  }[];
}
const clusterOf = (text: string) => (parse(text) as Kubeconfig).clusters[0]!;

test.each([
  ["schedulerKubeconfig", "O = system:kube-scheduler, CN = system:kube-scheduler", "localhost"],
  [
    "controllerManagerKubeconfig",
    "O = system:kube-controller-manager, CN = system:kube-controller-manager",
    "localhost",
  ],
  ["localhostAdminKubeconfig", "O = system:masters, CN = talos:admin", "localhost"],
  ["adminKubeconfig", "O = system:masters, CN = talos:admin", "10.0.0.2"],
] as const)("%s is for %s at %s", async (name, subject, host) => {
  await using t = await mounted();
  expect(factsOf(t.leaves()[name])).toEqual({
    subject,
    dnsNames: [],
    ipAddresses: [],
    keyUsages: ["digitalSignature", "keyEncipherment"],
    extKeyUsages: ["clientAuth"],
  });
  expect(await isUnder(t.leaves()[name], demoRoots.kubernetes)).toBe(true);
  expect(clusterOf(t.held()[name]).cluster.server).toBe(`https://${host}:6443`);
});

test("they wait for the clock, and are kept when it is lost", async () => {
  await using t = await mounted({ synced: false });
  expect(t.held()).toBeNull();
  await t.update(TimeStatus, "node", () => time(true));
  const before = t.held();
  expect(before).not.toBeNull();
  await t.update(TimeStatus, "node", () => time(false));
  expect(t.held()).toBe(before);
});

test("each is renewed when it is due, not before, and alone", async () => {
  await using t = await mounted();
  const before = t.held();
  const due = firstDue(t.leaves(), demoRoots.kubernetes);
  await t.advance(due.at - t.clock.now() - 1);
  expect(t.held()).toBe(before);
  await t.advance(1);
  expect(differing(before, t.held())).toEqual([due.name]);
});

test("an accepted authority, the cluster's name and its endpoint are told, without new certificates", async () => {
  await using t = await mounted();
  const [before, other] = [t.leaves(), await otherRoot("kubernetes")];
  await t.update(KubernetesRoot, "k8s", (draft) => {
    draft.name = "renamed";
    draft.endpoint = "https://k8s.test:6443";
    draft.acceptedCAs.push({ crt: other.crt });
  });
  expect(differing(before, t.leaves())).toEqual([]);
  const { name, cluster } = clusterOf(t.held().adminKubeconfig);
  expect([name, cluster.server]).toEqual(["renamed", "https://k8s.test:6443"]);
  const trusted = Buffer.from(cluster["certificate-authority-data"], "base64").toString();
  expect(trusted).toBe(demoRoots.kubernetes.crt + other.crt);
});

test("another root reissues all, and without a root they are withdrawn", async () => {
  await using t = await mounted();
  const other = await otherRoot("kubernetes");
  await t.update(KubernetesRoot, "k8s", (draft) => void (draft.issuingCA = other));
  for (const leaf of Object.values(t.leaves())) expect(await isUnder(leaf, other)).toBe(true);
  await t.destroy(KubernetesRoot, "k8s");
  expect(t.held()).toBeNull();
});
