/** A cluster's records in memory, and members with identities of their own. */
import { type KeyedPem, leafProfiles, readCertificate, serialHex } from "#pki";
import { IssuedCertificate, Identity, MachineType, Member, MemberRecord, OSRoot } from "#resources";
import { at, manualClock, rfc3339, systemRandom, type DeepReadonly, type SpecOf } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { clusterStoreIn } from "../../../../src/apps/node/cluster-store.ts";
import { openMembership } from "../../../../src/apps/trustd/members/membership.ts";
import { openRegister } from "../../../../src/apps/trustd/members/register.ts";
import type { MemberAsker } from "../../../../src/apps/trustd/signer.ts";
import type { ReportRequest } from "../../../../src/apps/rpc/gen/node/node.ts";
import { issueLeaf, issueRoot, recordingLogger } from "../../apid/running-node.ts";

export const START = at("2027-03-01T12:00:00Z");

type Recorded = DeepReadonly<SpecOf<typeof MemberRecord>>;

/** The node's id of a short name: 44 characters. */
export const nodeIdOf = (name: string): string => name.replaceAll("-", "").padEnd(44, "x");

export const controlPlane = {
  ...{ nodeId: nodeIdOf("cp-1"), hostname: "cp-1", addresses: ["192.0.2.1"] },
  ...{ operatingSystem: "Trustplane (v1)", controlPlane: { port: 6443 } },
  machineType: "controlplane" as const,
};

/** A report that a healthy member makes. */
export const reportOf = (name: string, change: Partial<ReportRequest> = {}): ReportRequest => ({
  ...{ hostname: `${name}.example`, addresses: ["192.0.2.7"], operatingSystem: "Trustplane (v1)" },
  certificates: [
    {
      ...{ id: "apid-server", serialNumber: "0a", fingerprint: "ab".repeat(32) },
      ...{ issuerFingerprint: "cd".repeat(32), notAfter: new Date(START), state: "Valid", why: "" },
    },
  ],
  ...{ acceptedAuthorities: ["cd".repeat(32)], serves: "ab".repeat(32), apiPort: 50000 },
  ...change,
});

/** Puts a member on record, with one identity. */
export async function joinedMember(
  store: Store,
  root: KeyedPem,
  name: string,
  change: Partial<Recorded> = {},
  now = START,
) {
  const nodeId = nodeIdOf(name);
  const identity = await issueLeaf({
    ...{ profile: leafProfiles.nodeIdentity, authority: root, commonName: nodeId, now },
  });
  const certificate = readCertificate(identity.crt);
  await store.create(MemberRecord, nodeId, {
    ...{
      hostname: `${name}.example`,
      addresses: ["192.0.2.7", "192.0.2.8"],
      machineType: "worker",
    },
    ...{ joined: rfc3339(now), token: "machine.token", bounds: null, apiPort: 50000 },
    ...{ dnsNames: [], identityKeys: [] },
    ...{ identities: [certificate.fingerprint], notAfter: rfc3339(certificate.notAfter) },
    ...change,
  });
  await store.create(IssuedCertificate, serialHex(certificate.serialNumber), {
    ...{ fingerprint: certificate.fingerprint, profile: "nodeIdentity", subject: "", nodeId },
    ...{ dnsNames: [], ipAddresses: [], notBefore: rfc3339(certificate.notBefore), token: "" },
    ...{ notAfter: rfc3339(certificate.notAfter), spkiFingerprint: "", peer: "192.0.2.7:1" },
  });
  const asker: MemberAsker = { peer: "192.0.2.7:40000", certificate };
  return { nodeId, asker, identity, certificate };
}

/** One control plane, and its membership. */
export async function cluster() {
  const clock = manualClock(START);
  const store = openMemoryStore({ clock });
  const root = await issueRoot(START);
  const { log, lines } = recordingLogger();
  await store.create(MachineType, "machine-type", { type: "controlplane" });
  await store.create(Identity, "local", { nodeId: controlPlane.nodeId });
  await store.create(Member, "cp-1", controlPlane);
  await store.create(OSRoot, "os", {
    ...{ issuingCA: root, certSANIPs: [], certSANDNSNames: [], token: "", acceptedCAs: [root] },
  });
  const options = { cluster: clusterStoreIn(store), store, clock, random: systemRandom, log };
  const membership = openMembership({ ...options, apiPort: () => 50000 });
  const register = openRegister(options);
  return {
    ...{ clock, store, root, lines, membership, register },
    member: (name: string, change?: Partial<Recorded>) => joinedMember(store, root, name, change),
    async [Symbol.asyncDispose]() {
      membership.close();
      await store.close();
    },
  };
}
