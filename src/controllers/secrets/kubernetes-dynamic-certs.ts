/** Keeps the certificates of kube-apiserver, which it reads anew without a restart; waits for the clock. */
import { type IssueLeaf, keepLeaf, leafProfiles } from "#pki";
import {
  CertSAN,
  KubernetesDynamicCerts,
  KubernetesRoot,
  NetworkStatus,
  TimeStatus,
} from "#resources";
import { defineController, earliest, exclusive, gate, one } from "#runtime";

export const kubernetesDynamicCertsController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) =>
  defineController({
    name: "secrets.KubernetesDynamicCertsController",
    inputs: {
      root: one(KubernetesRoot, "k8s"),
      network: gate(NetworkStatus, "status", (s) => s.addressReady && s.hostnameReady),
      names: gate(CertSAN, "k8s"),
      time: gate(TimeStatus, "node", (time) => time.synced),
    },
    outputs: { certificates: exclusive(KubernetesDynamicCerts) },

    async reconcile({ inputs, held, clock }) {
      const holding = held.certificates["k8s-dynamic-certs"];
      const { issuingCA, aggregatorCA } = inputs.root.spec;
      const now = clock.now();
      const apiServer = await keepLeaf({
        held: holding?.apiServer,
        request: {
          profile: leafProfiles.kubeApiServer,
          authority: issuingCA,
          dnsNames: inputs.names.spec.dnsNames,
          ipAddresses: inputs.names.spec.ips,
          now,
        },
        issueLeaf,
      });
      const kubeletClient = await keepLeaf({
        held: holding?.apiServerKubeletClient,
        request: { profile: leafProfiles.apiServerKubeletClient, authority: issuingCA, now },
        issueLeaf,
      });
      const frontProxy = await keepLeaf({
        held: holding?.frontProxy,
        request: { profile: leafProfiles.frontProxyClient, authority: aggregatorCA, now },
        issueLeaf,
      });
      return {
        outputs: {
          certificates: {
            "k8s-dynamic-certs": {
              apiServer: apiServer.leaf,
              apiServerKubeletClient: kubeletClient.leaf,
              frontProxy: frontProxy.leaf,
            },
          },
        },
        wakeAt: earliest([apiServer.renewAt, kubeletClient.renewAt, frontProxy.renewAt]),
      };
    },
  });
