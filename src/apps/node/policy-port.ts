/** What may be issued, changed and told on request. */
import { readPolicy, writePolicy } from "#config";
import { inventory, nothingHeld } from "#controllers";
import {
  type CompiledPolicy,
  describeRefusal,
  judge,
  PolicyUnreadableError,
  type ProfileName,
  readCertificate,
} from "#pki";
import {
  ApiCertificates,
  CertificatePolicy,
  EtcdRoot,
  EtcdSecrets,
  KubernetesDynamicCerts,
  KubernetesRoot,
  KubernetesSecrets,
  MachineType,
  OSRoot,
  TrustdCertificates,
} from "#resources";
import { type Clock, CodedError, rfc3339 } from "#runtime";
import type { Store } from "#runtime/store";
import type { PolicyPort } from "../apid/index.ts";
import type { ClusterStore } from "./cluster-store.ts";
import { type FollowedPolicy, IN_FORCE, specOf, storePolicy } from "./policy.ts";

/** Makes the port. */
export const policyPort = ({
  followed,
  store,
  cluster,
  clock,
}: {
  readonly followed: FollowedPolicy;
  readonly store: Store;
  readonly cluster: ClusterStore;
  readonly clock: Clock;
}): PolicyPort => ({
  async apply(text, { dryRun }) {
    const { description, compiled } = readPolicy(text);
    const shared = await cluster.open();
    const warnings = refusedOf(await heldLeaves(store), compiled);
    if (dryRun) return warnings;
    const spec = specOf(description, rfc3339(clock.now()), compiled.policy);
    await followed.until(await storePolicy(shared, spec));
    return warnings;
  },
  async text() {
    const description = (await store.get(CertificatePolicy, IN_FORCE))?.spec.description;
    const { policy, withheld } = followed.inForce();
    if (withheld !== undefined) throw new PolicyUnreadableError(withheld);
    return writePolicy({ ...policy, ...(description !== undefined && { description }) });
  },
});

/** What the leaves of a node are issued as. */
export const profilesOfLeaves: Readonly<Partial<Record<string, ProfileName>>> = {
  "apid-server": "apidServer",
  "apid-client": "apidClient",
  "trustd-server": "trustdServer",
  "etcd-server": "etcdServer",
  "etcd-peer": "etcdPeer",
  "etcd-admin": "etcdAdmin",
  "etcd-apiserver-client": "etcdApiServer",
  "kube-apiserver": "kubeApiServer",
  "apiserver-kubelet-client": "apiServerKubeletClient",
  "front-proxy-client": "frontProxyClient",
  "controller-manager": "controllerManager",
  scheduler: "scheduler",
  admin: "admin",
  "localhost-admin": "admin",
};

interface HeldLeaf {
  readonly id: string;
  readonly crt: string;
  readonly profile: ProfileName;
}

async function heldLeaves(store: Store): Promise<readonly HeldLeaf[]> {
  const orNull = <Held>(held: Held | undefined): Held | null => held ?? null;
  const type = await store.get(MachineType, "machine-type");
  const items = inventory({
    ...nothingHeld,
    os: orNull(await store.get(OSRoot, "os")),
    k8s: orNull(await store.get(KubernetesRoot, "k8s")),
    etcdRoot: orNull(await store.get(EtcdRoot, "etcd")),
    api: orNull(await store.get(ApiCertificates, "api")),
    trustd: orNull(await store.get(TrustdCertificates, "trustd")),
    etcd: orNull(await store.get(EtcdSecrets, "etcd")),
    kubeconfigs: orNull(await store.get(KubernetesSecrets, "k8s-certs")),
    dynamic: orNull(await store.get(KubernetesDynamicCerts, "k8s-dynamic-certs")),
  });
  return items.flatMap(({ id, role, crt }) => {
    const isJoined = id === "apid-server" && type?.spec.type === "worker";
    const profile = isJoined ? "nodeServer" : profilesOfLeaves[id];
    if (role !== "leaf" || crt === undefined || profile === undefined) return [];
    return [{ id, crt, profile }];
  });
}

/** They stay until they are due, and then nothing takes their place. */
function refusedOf(leaves: readonly HeldLeaf[], policy: CompiledPolicy): readonly string[] {
  return leaves.flatMap(({ id, crt, profile }) => {
    // What would live for too long is renewed for less.
    const refusal = refusalsOf(crt, profile, policy).find(({ field }) => field !== "validity");
    return refusal === undefined
      ? []
      : [
          `${id}, which this node holds, could not be issued under this policy, and is not renewed: ` +
            describeRefusal(refusal),
        ];
  });
}

/** What cannot be read is told of elsewhere. */
function refusalsOf(crt: string, profile: ProfileName, policy: CompiledPolicy) {
  try {
    return judge(readCertificate(crt), profile, policy);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [];
  }
}
