import { ACTIVE, KubernetesRoot, MachineConfig } from "#resources";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { rootKubernetesController } from "../../../src/controllers/secrets/root-kubernetes.ts";
import { demoRoots, demoServiceAccountKey } from "../../pki/demo.ts";
import { controlPlaneConfig, START, workerConfig } from "../control-plane.ts";
import { otherRoot } from "../surroundings.ts";

async function rootOf(yaml: string) {
  await using t = await mount(rootKubernetesController(), { now: START });
  await t.create(MachineConfig, ACTIVE, { yaml });
  return t.spec(KubernetesRoot, "k8s");
}

test("roots, the service-account key and what kube-apiserver is told come from the configuration", async () => {
  expect(await rootOf(controlPlaneConfig)).toMatchObject({
    name: "demo",
    endpoint: "https://10.0.0.2:6443",
    localEndpoint: "https://localhost:6443",
    certSANs: ["demo.example.test", "192.0.2.10"],
    dnsDomain: "cluster.local",
    issuingCA: demoRoots.kubernetes,
    aggregatorCA: demoRoots.aggregator,
    serviceAccount: { key: demoServiceAccountKey },
    issuerURL: "https://10.0.0.2:6443",
    apiAudiences: ["https://10.0.0.2:6443"],
    bootstrapTokenID: "gp3ypu",
    bootstrapTokenSecret: "tgp9llnuw1irhltr",
  });
});

test("an accepted key of the service account is the public half of its own", async () => {
  const root = await rootOf(controlPlaneConfig);
  expect(root?.serviceAccountAcceptedKeys).toHaveLength(1);
  expect(root?.serviceAccountAcceptedKeys[0]?.key).toMatch(/^-----BEGIN PUBLIC KEY-----/);
});

test("accepted authorities come after the issuing one", async () => {
  const other = await otherRoot("kubernetes");
  const crt = Buffer.from(other.crt).toString("base64");
  const yaml = controlPlaneConfig.replace(
    "    aggregatorCA:\n",
    `    acceptedCAs:\n        - crt: ${crt}\n    aggregatorCA:\n`,
  );
  const accepted = (await rootOf(yaml))?.acceptedCAs.map((ca) => ca.crt);
  expect(accepted).toEqual([demoRoots.kubernetes.crt, other.crt]);
});

test("kube-apiserver has the first address of each network of services", async () => {
  const yaml = controlPlaneConfig.replace(
    "            - 10.96.0.0/12\n",
    "            - 10.112.7.9/12\n            - fd00:10:96::/108\n",
  );
  expect((await rootOf(yaml))?.apiServerIPs).toEqual(["10.112.0.1", "fd00:10:96::1"]);
});

test("a worker has none, and neither has a control plane without an aggregator root", async () => {
  expect(await rootOf(workerConfig)).toBeNull();
  const yaml = controlPlaneConfig.replace(/ {4}aggregatorCA:\n.*\n.*\n/, "");
  expect(await rootOf(yaml)).toBeNull();
});
