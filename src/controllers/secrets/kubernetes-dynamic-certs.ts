/** Keeps the certificates of kube-apiserver, which reads them anew without a restart; waits for the clock. */
import { type IssueLeaf, leafProfiles } from "#pki";
import {
  CertSAN,
  KubernetesDynamicCerts,
  KubernetesRoot,
  NetworkStatus,
  RenewalRequest,
  TimeStatus,
} from "#resources";
import { all, defineController, exclusive, gate, one } from "#runtime";
import { waitForRest } from "../config-version.ts";
import { keepLeaves } from "../leaves.ts";
import { replacementsOf } from "../renewal-requests.ts";

/** Under which ids its leaves are reported, and asked for. */
const IDS = {
  apiServer: "kube-apiserver",
  apiServerKubeletClient: "apiserver-kubelet-client",
  frontProxy: "front-proxy-client",
} as const;

export const kubernetesDynamicCertsController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) => {
  const waitUntil = waitForRest();
  return defineController({
    name: "secrets.KubernetesDynamicCertsController",
    inputs: {
      root: one(KubernetesRoot, "k8s"),
      network: gate(NetworkStatus, "status", (s) => s.addressReady && s.hostnameReady),
      names: gate(CertSAN, "k8s"),
      time: gate(TimeStatus, "node", (time) => time.synced),
      requests: all(RenewalRequest),
    },
    outputs: { certificates: exclusive(KubernetesDynamicCerts) },

    async reconcile({ inputs, held, clock }) {
      const wakeAt = waitUntil(clock.now(), [inputs.root, inputs.names]);
      if (wakeAt !== null) return { outputs: { certificates: held.certificates }, wakeAt };
      const { issuingCA, aggregatorCA } = inputs.root.spec;
      const { leaves, renewAt } = await keepLeaves({
        held: held.certificates["k8s-dynamic-certs"] ?? {},
        wanted: {
          apiServer: {
            profile: leafProfiles.kubeApiServer,
            authority: issuingCA,
            dnsNames: inputs.names.spec.dnsNames,
            ipAddresses: inputs.names.spec.ips,
          },
          apiServerKubeletClient: {
            profile: leafProfiles.apiServerKubeletClient,
            authority: issuingCA,
          },
          frontProxy: { profile: leafProfiles.frontProxyClient, authority: aggregatorCA },
        },
        replacements: replacementsOf(inputs.requests, IDS),
        issueLeaf,
        clock,
      });
      return { outputs: { certificates: { "k8s-dynamic-certs": leaves } }, wakeAt: renewAt };
    },
  });
};
