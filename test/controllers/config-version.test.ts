/** One change of the configuration issues each leaf once, whatever ways the change takes. */
import {
  ACTIVE,
  ApiCertificates,
  CertSAN,
  KubernetesDynamicCerts,
  MachineConfig,
  MachineType,
  NetworkStatus,
  OSRoot,
  TrustdCertificates,
} from "#resources";
import { type DeepReadonly, minutes, pointerTo, type ResourceType } from "#runtime";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { apiController } from "../../src/controllers/secrets/api.ts";
import { demoRoots } from "../pki/demo.ts";
import { controlPlaneConfig, mountNode, START } from "./control-plane.ts";
import { factsOf, issueLeaf, network, otherRoot } from "./surroundings.ts";

type Node = Awaited<ReturnType<typeof mountNode>>;

/** Every certificate that a resource ever holds, in their order, from now on. */
function certificatesOf<Spec>(
  { store }: Node,
  kind: ResourceType<Spec>,
  id: string,
  certificateIn: (spec: DeepReadonly<Spec>) => string | undefined,
) {
  const seen: string[] = [];
  store.watch(kind, id).subscribe((event) => {
    if (event.type !== "created" && event.type !== "updated") return;
    const crt = certificateIn(event.resource.spec) ?? "";
    if (!seen.includes(crt)) seen.push(crt);
  });
  return seen;
}

const leavesOf = (node: Node) => ({
  apid: certificatesOf(node, ApiCertificates, "api", (spec) => spec.server.crt),
  client: certificatesOf(node, ApiCertificates, "api", (spec) => spec.client?.crt),
  trustd: certificatesOf(node, TrustdCertificates, "trustd", (spec) => spec.server.crt),
  apiServer: certificatesOf(
    node,
    KubernetesDynamicCerts,
    "k8s-dynamic-certs",
    (spec) => spec.apiServer?.crt,
  ),
});

const counts = (leaves: ReturnType<typeof leavesOf>) =>
  Object.fromEntries(Object.entries(leaves).map(([name, seen]) => [name, seen.length]));

const apply = (node: Node, yaml: string) =>
  node.update(MachineConfig, ACTIVE, (draft) => void (draft.yaml = yaml));

const base64 = (pem: string) => Buffer.from(pem).toString("base64");
const withRoot = (yaml: string, old: keyof typeof demoRoots, root: { crt: string; key: string }) =>
  yaml
    .replaceAll(base64(demoRoots[old].crt), base64(root.crt))
    .replaceAll(base64(demoRoots[old].key), base64(root.key));
const withNames = (yaml: string) =>
  yaml.replace(/^( +)- demo\.example\.test\n/gm, "$&$1- added.example.test\n");

test("a name that is added and dropped again reissues apid for each, and trustd for neither", async () => {
  await using node = await mountNode();
  const leaves = leavesOf(node);
  await apply(node, withNames(controlPlaneConfig));
  expect(factsOf({ crt: leaves.apid.at(-1) ?? "" }).dnsNames).toContain("added.example.test");
  expect(counts(leaves)).toEqual({ apid: 2, client: 1, trustd: 1, apiServer: 2 });
  await apply(node, controlPlaneConfig);
  expect(counts(leaves)).toEqual({ apid: 3, client: 1, trustd: 1, apiServer: 3 });
});

test("other roots and another name at once issue each leaf once", async () => {
  await using node = await mountNode();
  const leaves = leavesOf(node);
  const [os, kubernetes] = [await otherRoot("os"), await otherRoot("kubernetes")];
  const yaml = withRoot(withRoot(controlPlaneConfig, "os", os), "kubernetes", kubernetes);
  await apply(node, withNames(yaml));
  expect(counts(leaves)).toEqual({ apid: 2, client: 2, trustd: 2, apiServer: 2 });
  expect(factsOf({ crt: leaves.apid.at(-1) ?? "" }).dnsNames).toContain("added.example.test");
});

test("what depends on the configuration says from which version it comes", async () => {
  await using node = await mountNode();
  await apply(node, withNames(controlPlaneConfig));
  const { version } = node.resource(MachineConfig, ACTIVE)?.metadata ?? {};
  for (const resource of [node.resource(OSRoot, "os"), node.resource(CertSAN, "k8s")])
    expect(resource?.metadata.annotations).toEqual({
      "trustplane.dev/config-version": String(version),
    });
});

test("a mixture of versions is waited out for a minute, and then certificates are issued all the same", async () => {
  await using t = await mount(apiController({ issueLeaf }), { now: START });
  const root = {
    issuingCA: demoRoots.os,
    certSANIPs: [],
    certSANDNSNames: [],
    token: "",
    acceptedCAs: [{ crt: demoRoots.os.crt }],
  };
  const from = (version: string) => ({
    annotations: { "trustplane.dev/config-version": version },
  });
  await t.create(NetworkStatus, "status", network(true, true));
  await t.create(MachineType, "machine-type", { type: "controlplane" });
  await t.create(OSRoot, "os", root, from("2"));
  const names = { ips: ["192.0.2.7"], dnsNames: ["cp-1"], fqdn: "cp-1" };
  await t.create(CertSAN, "api", names, from("1,2"));
  await t.advance(minutes(1) - 1);
  expect(t.spec(ApiCertificates, "api")).toBeNull();
  await t.advance(1);
  const first = t.spec(ApiCertificates, "api")?.server;
  expect(factsOf(first).dnsNames).toEqual(["cp-1"]);
  await t.store.modifyMetadata(pointerTo(CertSAN, "api"), (draft) => {
    draft.annotations["trustplane.dev/config-version"] = "2";
  });
  await t.update(CertSAN, "api", (draft) => void draft.dnsNames.push("cp-2"));
  expect(factsOf(t.spec(ApiCertificates, "api")?.server).dnsNames).toEqual(["cp-1", "cp-2"]);
});
