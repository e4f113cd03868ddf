/** Names and ids that are another's: whose, by what, and for how long. */
import { compilePolicy } from "#pki";
import { Identity, KubernetesRoot, MemberRecord, OSRoot, Member } from "#resources";
import { after, hours, type SpecOf } from "#runtime";
import { openMemoryStore } from "#runtime/store";
import { describe, expect, test } from "vitest";
import { removeMember } from "../../../src/apps/trustd/members/removal.ts";
import {
  certificateIn,
  csr,
  fill,
  ID,
  joining,
  MACHINE_TOKEN,
  openCluster,
  PEER,
  signing,
  START,
} from "./cluster.ts";

type Cluster = Awaited<ReturnType<typeof openCluster>>;

const machine = { peer: PEER, token: MACHINE_TOKEN };
const called = (commonName: string, ...more: string[]) => ({
  ...{ commonName, dnsNames: [commonName, ...more], ipAddresses: [] as string[] },
});

async function join({ signer }: Cluster, id: string, names: ReturnType<typeof called>) {
  const { issued } = await signer.join(machine, await joining(id, names));
  return { peer: PEER, certificate: certificateIn(issued!.identityCrt) };
}

describe("the id of a control plane", () => {
  const names = { ...called("cp-1.example.com"), ipAddresses: ["10.0.0.1"] };

  test("is nobody else's: by stating it a node gets neither its names nor others", async () => {
    await using cluster = await openCluster();
    for (const wanted of [names, called("w")])
      await expect(join(cluster, ID.controlPlane, wanted)).rejects.toThrow(
        /rule "proof of the member": nodeId: .* is that of a member that does not join by token/,
      );
    expect(await cluster.store.list(MemberRecord)).toEqual([]);
  });

  test("is this node's own before it lists itself, and whatever is on record", async () => {
    const store = openMemoryStore();
    await fill(store);
    await store.destroy({ ...Member, id: "cp-1" });
    await using cluster = await openCluster({ store });
    const rogue = await join(cluster, ID.controlPlane, called("w"));
    await store.create(Identity, "local", { nodeId: ID.controlPlane });
    await expect(join(cluster, ID.controlPlane, called("w"))).rejects.toThrow(/nodeId/);
    const renewing = cluster.signer.renew(rogue, { signing: await signing(called("w")) });
    await expect(renewing).rejects.toMatchObject({ code: "ERR_NOT_A_MEMBER" });
    await store.close();
  });
});

describe("machine.certSANs", () => {
  test("are no member's hostname, so that all may ask for them", async () => {
    await using cluster = await openCluster();
    await expect(join(cluster, ID.worker, called("api.example.com"))).rejects.toThrow(
      /commonName: "api.example.com" is among machine.certSANs of the cluster/,
    );
    await join(cluster, ID.worker, called("w-1", "api.example.com"));
    await join(cluster, ID.other, called("w-2", "api.example.com"));
  });

  test("give all nodes what a control plane is known by, and nobody what a node is on record with", async () => {
    await using cluster = await openCluster();
    await join(cluster, ID.other, called("w-2"));
    await cluster.store.modify(OSRoot, "os", (root) => {
      root.certSANDNSNames = ["w-2", "cp-1.example.com"];
      root.certSANIPs = ["10.0.0.1"];
    });
    await expect(join(cluster, ID.worker, called("w-1", "w-2"))).rejects.toThrow(
      /"names of others"/,
    );
    const ipAddresses = ["10.0.0.1", "127.0.0.1", "::1"];
    await join(cluster, ID.worker, { ...called("w-1", "cp-1.example.com"), ipAddresses });
  });
});

test("the endpoint of the cluster is no worker's, unless machine.certSANs have it", async () => {
  await using cluster = await openCluster();
  const endpoint = "https://k8s.example.com:6443";
  await cluster.store.create(KubernetesRoot, "k8s", {
    endpoint,
  } as unknown as SpecOf<typeof KubernetesRoot>);
  const wanted = called("w-1", "k8s.example.com");
  await expect(join(cluster, ID.worker, wanted)).rejects.toThrow(
    /dnsNames: "k8s.example.com" is the endpoint of the cluster: leave it out, or put it into/,
  );
  const plain = cluster.signer.certificate(machine, { csr: await csr(wanted) });
  await expect(plain).rejects.toThrow(/is the endpoint of the cluster/);
  await cluster.store.modify(OSRoot, "os", (root) => {
    root.certSANDNSNames = ["k8s.example.com"];
  });
  await join(cluster, ID.worker, wanted);
});

describe("a name of a member is kept from others", () => {
  test.each([
    ["its short name", called("worker-1.example.com"), called("w-2", "worker-1")],
    ["its short name, by a common name", called("worker-1.example.com"), called("worker-1.evil")],
    ["each of its names", called("w-1", "registry.example.com"), called("registry.example.com")],
  ])("%s", async (_what, own, wanted) => {
    await using cluster = await openCluster();
    await join(cluster, ID.worker, own);
    await expect(join(cluster, ID.other, wanted)).rejects.toThrow(/"names of others"/);
  });

  test("what its wildcard stands for, and the other way round", async () => {
    const policy = compilePolicy({ profiles: { nodeServer: { wildcards: true } } });
    await using cluster = await openCluster({ policy: () => policy });
    await join(cluster, ID.worker, called("w-1", "*.apps.example.com"));
    const within = join(cluster, ID.other, called("w-2", "a.apps.example.com"));
    await expect(within).rejects.toThrow(/"a.apps.example.com" is on record/);
    await join(cluster, ID.other, called("w-2", "a.b.apps.example.com"));
    const over = join(cluster, "z".repeat(44), called("w-3", "*.b.apps.example.com"));
    await expect(over).rejects.toThrow(/"names of others"/);
  });
});

describe("a name that a member gave up", () => {
  const wanted = called("w-2", "registry");

  /** It had the name, and has none of it any more. */
  async function givenUp(cluster: Cluster) {
    const member = await join(cluster, ID.worker, called("w-1", "registry"));
    cluster.clock.advanceTo(after(START, hours(1)));
    await cluster.signer.renew(member, { signing: await signing(called("w-1")) });
    return member;
  }

  test("is kept until the certificate that has it ends, also in another process", async () => {
    await using cluster = await openCluster();
    await givenUp(cluster);
    const { store, clock } = cluster;
    await using next = await openCluster({ store, clock });
    clock.advanceTo(after(START, hours(23.9)));
    for (const each of [cluster, next])
      await expect(join(each, ID.other, wanted)).rejects.toThrow(
        /"registry" is in a certificate of the member "w-1" that has not ended/,
      );
    clock.advanceTo(after(START, hours(24)));
    await join(cluster, ID.other, wanted);
  });

  test("may be taken up again by itself, and by nobody who does not say who it is", async () => {
    await using cluster = await openCluster();
    const member = await givenUp(cluster);
    const plain = cluster.signer.certificate(machine, { csr: await csr(wanted) });
    await expect(plain).rejects.toThrow(/"registry"/);
    await cluster.signer.renew(member, { signing: await signing(called("w-1", "registry")) });
  });

  test("is free at once when the member is removed, and stays its next one's", async () => {
    await using cluster = await openCluster();
    await givenUp(cluster);
    const { store, clock } = cluster;
    const record = await store.get(MemberRecord, ID.worker);
    await removeMember(store, record!, { clock, reason: "" });
    const next = await join(cluster, ID.other, wanted);
    await join(cluster, ID.worker, called("w-1")); // with a certificate from before
    await cluster.signer.renew(next, { signing: await signing(wanted) });
  });
});

test("a token that is bound to a name lets its host have the short one, and no other", async () => {
  await using cluster = await openCluster();
  const token = "abcdef.0123456789abcdef";
  await cluster.token(token, { bounds: { dnsNames: ["*.rack.example.com"], addresses: [] } });
  const asking = async (...names: [string, ...string[]]) =>
    cluster.signer.certificate({ peer: PEER, token }, { csr: await csr(called(...names)) });
  await asking("w.rack.example.com", "w");
  await expect(asking("w.rack.example.com", "v")).rejects.toThrow(/"bounds": dnsNames: "v"/);
  await expect(asking("w.example.org", "w")).rejects.toThrow(/"bounds"/);
});
