/** Collects the names and addresses that kube-apiserver is reached by (talos-pki.md §6.4, `k8s`). */
import { isAddress, sortAddresses, sortNames } from "#config";
import { CertSAN, fqdn, HostnameStatus, KubernetesRoot, NodeAddress } from "#resources";
import { defineController, gate, one, shared } from "#runtime";
import { derived, versionsOf } from "../config-version.ts";

export const kubernetesCertSANsController = () =>
  defineController({
    name: "secrets.KubernetesCertSANsController",
    inputs: {
      root: one(KubernetesRoot, "k8s"),
      hostname: gate(HostnameStatus, "hostname"),
      addresses: gate(NodeAddress, "accumulative-no-k8s"),
    },
    outputs: { names: shared(CertSAN) },

    reconcile({ inputs }) {
      const root = inputs.root.spec;
      const hostname = inputs.hostname.spec;
      const given = [...hostsOf(root.endpoint), ...root.certSANs];
      const inCluster = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
      const addresses = [...root.apiServerIPs, ...inputs.addresses.spec.addresses, "127.0.0.1"];
      const k8s = {
        ips: sortAddresses([...addresses, ...given].filter(isAddress)),
        dnsNames: sortNames([
          ...given.filter((name) => !isAddress(name)),
          ...inCluster,
          `kubernetes.default.svc.${root.dnsDomain}`,
          "localhost",
          hostname.hostname,
          fqdn(hostname),
        ]),
        fqdn: "", // kube-apiserver's certificate has a name of its own
      };
      return { outputs: { names: { k8s: derived(k8s, versionsOf(Object.values(inputs))) } } };
    },
  });

/** The host of a URL; none when the text is not a URL. */
const hostsOf = (url: string): string[] =>
  URL.canParse(url) ? [new URL(url).hostname.replace(/^\[(.*)\]$/, "$1")] : [];
