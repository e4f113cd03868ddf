/** Collects the names and addresses that kube-apiserver is reached by (talos-pki.md §6.4, `k8s`). */
import { isAddress, sortAddresses, sortNames } from "#config";
import { CertSAN, fqdn, HostnameStatus, KubernetesRoot, NodeAddress } from "#resources";
import { defineController, gate, one, shared } from "#runtime";

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
      const endpointHost = new URL(root.endpoint).hostname.replace(/^\[(.*)\]$/, "$1");
      const given = [endpointHost, ...root.certSANs];
      const inCluster = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
      return {
        outputs: {
          names: {
            k8s: {
              ips: sortAddresses([
                ...root.apiServerIPs,
                ...inputs.addresses.spec.addresses,
                "127.0.0.1",
                ...given.filter(isAddress),
              ]),
              dnsNames: sortNames([
                ...given.filter((name) => !isAddress(name)),
                ...inCluster,
                `kubernetes.default.svc.${root.dnsDomain}`,
                "localhost",
                hostname.hostname,
                fqdn(hostname),
              ]),
              fqdn: "", // kube-apiserver's certificate has a name of its own
            },
          },
        },
      };
    },
  });
