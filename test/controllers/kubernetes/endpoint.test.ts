import { Endpoint, Identity, KubeletSecrets, MachineType, Member, MemberRecord } from "#resources";
import { ControllerStatus, minutes } from "#runtime";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { endpointController } from "../../../src/controllers/kubernetes/endpoint.ts";
import { START } from "../control-plane.ts";

async function mounted(endpoint: string, type: "worker" | "controlplane" = "worker") {
  const names: Record<string, readonly string[]> = {};
  const asked: string[] = [];
  const controller = endpointController({
    resolveHost: async (name) => {
      asked.push(name);
      const found = names[name];
      if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`);
      return found;
    },
  });
  const t = await mount(controller, { now: START });
  await t.create(MachineType, "machine-type", { type });
  await t.create(KubeletSecrets, "kubelet", {
    ...{ endpoint, acceptedCAs: [], bootstrapTokenID: "", bootstrapTokenSecret: "" },
  });
  return { t, names, asked, spec: (id: string) => t.spec(Endpoint, id) };
}

const record = (machineType: "worker" | "controlplane", ...addresses: string[]) => ({
  ...{ hostname: "x", addresses, machineType, joined: "", token: "", bounds: null },
  ...{ identities: [], dnsNames: [], identityKeys: [], notAfter: "", apiPort: 0 },
});

test.each([
  ["https://192.0.2.1:6443", "192.0.2.1"],
  ["https://[2001:db8::1]:6443", "2001:db8::1"],
])(
  "an address in the endpoint, %s, is where the control plane is, and nobody is asked",
  async (url, address) => {
    const { t, asked, spec } = await mounted(url);
    await using _t = t;
    expect(spec("controlplane")).toEqual({ addresses: [address], hosts: [] });
    expect(asked).toEqual([]);
  },
);

test("a name is listed with its addresses, and looked up again now and then", async () => {
  const { t, names, asked, spec } = await mounted("https://cp.test:6443");
  await using _t = t;
  expect(spec("controlplane")).toEqual({ addresses: [], hosts: ["cp.test"] });
  expect(t.spec(ControllerStatus, "k8s.EndpointController")?.error).toMatchObject({
    code: "ERR_ENDPOINT_UNRESOLVED",
    message: expect.stringContaining("cp.test") as string,
  });
  names["cp.test"] = ["192.0.2.2", "192.0.2.1"];
  await t.advance(minutes(1));
  const found = { addresses: ["192.0.2.1", "192.0.2.2"], hosts: ["cp.test"] };
  expect(spec("controlplane")).toEqual(found);
  const before = asked.length;
  delete names["cp.test"];
  await t.advance(minutes(6));
  expect(asked.length).toBeGreaterThan(before);
  expect(spec("controlplane")).toEqual(found); // where it was before
});

test("members count that are control planes by the record, this node and workers do not", async () => {
  const { t, spec } = await mounted("https://192.0.2.1:6443");
  await using _t = t;
  await t.create(Identity, "local", { nodeId: "self" });
  await t.create(MemberRecord, "self", record("controlplane", "192.0.2.9"));
  await t.create(MemberRecord, "a", record("controlplane", "192.0.2.3", "192.0.2.2"));
  await t.create(MemberRecord, "b", record("worker", "192.0.2.4"));
  expect(spec("discovery")).toEqual({ addresses: ["192.0.2.2", "192.0.2.3"], hosts: [] });
  await t.create(Member, "c", {
    ...{ nodeId: "", addresses: ["192.0.2.5"], hostname: "c", machineType: "controlplane" },
    ...{ operatingSystem: "", controlPlane: null },
  });
  expect(spec("discovery")?.addresses).toEqual(["192.0.2.2", "192.0.2.3", "192.0.2.5"]);
});

test("on a control plane nobody is asked", async () => {
  const { t, asked } = await mounted("https://cp.test:6443", "controlplane");
  await using _t = t;
  expect(t.list(Endpoint)).toEqual([]);
  expect(asked).toEqual([]);
});
