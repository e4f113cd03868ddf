import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadMachineConfig, readKubeconfig } from "#config";
import { leafIssuer, readCertificate, webCryptoKeys } from "#pki";
import { ACTIVE, KubernetesRoot, MachineConfig } from "#resources";
import { hours, instantOf, manualClock, systemClock, systemRandom, type SpecOf } from "#runtime";
import { openMemoryStore } from "#runtime/store";
import { issueAdminKubeconfig } from "../../../src/apps/node/admin-kubeconfig.ts";

const fixture = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");
const yaml = await readFile(fixture, "utf8");
// Certificates know no fractions of a second.
const clock = manualClock(instantOf(Math.trunc(systemClock.now() / 1000) * 1000));
const issueLeaf = leafIssuer({ keys: webCryptoKeys(), random: systemRandom });

const root = (): SpecOf<typeof KubernetesRoot> => {
  const found = loadMachineConfig(yaml).kubernetesRoot();
  if (found === undefined) throw new Error("the fixture has no Kubernetes authority");
  return { ...(found as unknown as SpecOf<typeof KubernetesRoot>), apiServerIPs: [] };
};

async function issued(
  config: string,
  spec: SpecOf<typeof KubernetesRoot> | null = root(),
): Promise<string> {
  await using store = openMemoryStore();
  await store.create(MachineConfig, ACTIVE, { yaml: config });
  if (spec) await store.create(KubernetesRoot, "k8s", spec);
  return await issueAdminKubeconfig({ store, clock, issueLeaf });
}

test("a certificate for admin of system:masters, as long as the configuration says", async () => {
  const text = await issued(yaml);
  const certificate = readCertificate(readKubeconfig(text).crt);
  expect(certificate.notAfter - clock.now()).toBe(hours(8760));
  expect(text).toMatch(/name: admin@/);
  const short = yaml.replace(
    /^cluster:\n/m,
    "cluster:\n    adminKubeconfig:\n        certLifetime: 1h0m0s\n",
  );
  const { notAfter } = readCertificate(readKubeconfig(await issued(short)).crt);
  expect(notAfter - clock.now()).toBe(hours(1));
});

test("not on a worker, and not without an authority", async () => {
  await expect(issued(yaml.replace("type: controlplane", "type: worker"))).rejects.toMatchObject({
    code: "ERR_CONTROL_PLANE_ONLY",
  });
  await expect(issued(yaml, null)).rejects.toMatchObject({
    code: "ERR_KUBERNETES_AUTHORITY_MISSING",
  });
});
