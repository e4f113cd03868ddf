/** Keeps the certificates of this node's etcd member and of etcd's clients; waits for the clock. */
import { sortAddresses, sortNames } from "#config";
import { type IssueLeaf, keepLeaf, leafProfiles } from "#pki";
import {
  EtcdRoot,
  EtcdSecrets,
  fqdn,
  HostnameStatus,
  NetworkStatus,
  NodeAddress,
  TimeStatus,
} from "#resources";
import { defineController, earliest, exclusive, gate, one, type SpecOf } from "#runtime";

export const etcdController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) =>
  defineController({
    name: "secrets.EtcdController",
    inputs: {
      root: one(EtcdRoot, "etcd"),
      network: gate(NetworkStatus, "status", (s) => s.addressReady && s.hostnameReady),
      hostname: gate(HostnameStatus, "hostname"),
      addresses: gate(NodeAddress, "accumulative-no-k8s"),
      time: gate(TimeStatus, "node", (time) => time.synced),
    },
    outputs: { certificates: exclusive(EtcdSecrets) },

    async reconcile({ inputs, held, clock }) {
      const holding = held.certificates.etcd;
      const common = { authority: inputs.root.spec.etcdCA, now: clock.now() };
      const names = [inputs.hostname.spec.hostname, fqdn(inputs.hostname.spec)];
      const { addresses } = inputs.addresses.spec;
      const keep = (leaf: keyof SpecOf<typeof EtcdSecrets>, request: Request) =>
        keepLeaf({ held: holding?.[leaf], request: { ...common, ...request }, issueLeaf });
      const server = await keep("etcd", {
        profile: leafProfiles.etcdServer,
        commonName: inputs.hostname.spec.hostname,
        dnsNames: [...new Set([...names, "localhost"])], // in Talos' order
        ipAddresses: [...new Set([...addresses, "127.0.0.1", "::1"])],
      });
      const peer = await keep("etcdPeer", {
        profile: leafProfiles.etcdPeer,
        commonName: inputs.hostname.spec.hostname,
        dnsNames: sortNames(names),
        ipAddresses: sortAddresses(addresses),
      });
      const admin = await keep("etcdAdmin", { profile: leafProfiles.etcdAdmin });
      const apiServer = await keep("etcdAPIServer", { profile: leafProfiles.etcdApiServer });
      return {
        outputs: {
          certificates: {
            etcd: {
              etcd: server.leaf,
              etcdPeer: peer.leaf,
              etcdAdmin: admin.leaf,
              etcdAPIServer: apiServer.leaf,
            },
          },
        },
        wakeAt: earliest([server, peer, admin, apiServer].map((kept) => kept.renewAt)),
      };
    },
  });

type Request = Omit<Parameters<IssueLeaf>[0], "authority" | "now">;
