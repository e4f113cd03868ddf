/** Keeps the certificates of this node's etcd member and of etcd's clients; waits for the clock. */
import { type IssueLeaf, leafProfiles } from "#pki";
import {
  EtcdRoot,
  EtcdSecrets,
  fqdn,
  HostnameStatus,
  NetworkStatus,
  NodeAddress,
  RenewalRequest,
  TimeStatus,
} from "#resources";
import { all, defineController, exclusive, gate, one } from "#runtime";
import { waitForRest } from "../config-version.ts";
import { keepLeaves } from "../leaves.ts";
import { replacementsOf } from "../renewal-requests.ts";

/** Under which ids its leaves are reported, and asked for. */
const IDS = {
  etcd: "etcd-server",
  etcdPeer: "etcd-peer",
  etcdAdmin: "etcd-admin",
  etcdAPIServer: "etcd-apiserver-client",
} as const;

export const etcdController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) => {
  const waitUntil = waitForRest();
  return defineController({
    name: "secrets.EtcdController",
    inputs: {
      root: one(EtcdRoot, "etcd"),
      network: gate(NetworkStatus, "status", (s) => s.addressReady && s.hostnameReady),
      hostname: gate(HostnameStatus, "hostname"),
      addresses: gate(NodeAddress, "accumulative-no-k8s"),
      time: gate(TimeStatus, "node", (time) => time.synced),
      requests: all(RenewalRequest),
    },
    outputs: { certificates: exclusive(EtcdSecrets) },

    async reconcile({ inputs, held, clock }) {
      const wakeAt = waitUntil(clock.now(), [inputs.root, inputs.hostname, inputs.addresses]);
      if (wakeAt !== null) return { outputs: { certificates: held.certificates }, wakeAt };
      const authority = inputs.root.spec.etcdCA;
      const { hostname } = inputs.hostname.spec;
      const names = [hostname, fqdn(inputs.hostname.spec)];
      const { addresses } = inputs.addresses.spec;
      const { leaves, renewAt } = await keepLeaves({
        held: held.certificates.etcd ?? {},
        wanted: {
          etcd: {
            profile: leafProfiles.etcdServer,
            authority,
            commonName: hostname,
            dnsNames: unique([...names, "localhost"]),
            ipAddresses: unique([...addresses, "127.0.0.1", "::1"]),
          },
          etcdPeer: {
            profile: leafProfiles.etcdPeer,
            authority,
            commonName: hostname,
            dnsNames: unique(names),
            ipAddresses: unique(addresses),
          },
          etcdAdmin: { profile: leafProfiles.etcdAdmin, authority },
          etcdAPIServer: { profile: leafProfiles.etcdApiServer, authority },
        },
        replacements: replacementsOf(inputs.requests, IDS),
        issueLeaf,
        clock,
      });
      return { outputs: { certificates: { etcd: leaves } }, wakeAt: renewAt };
    },
  });
};

/** In the order in which Talos lists them. */
const unique = (values: readonly string[]): string[] => [...new Set(values)];
