/** Collects the names and addresses that apid and trustd are reached by (talos-pki.md §6.4, `api`). */
import { isAddress, sortAddresses, sortNames } from "#config";
import { CertSAN, fqdn, HostnameStatus, NodeAddress, OSRoot } from "#resources";
import { defineController, gate, one, shared } from "#runtime";
import { derived, versionsOf } from "../config-version.ts";

export const apiCertSANsController = () =>
  defineController({
    name: "secrets.APICertSANsController",
    inputs: {
      root: one(OSRoot, "os"),
      hostname: gate(HostnameStatus, "hostname"),
      addresses: gate(NodeAddress, "accumulative-no-k8s"),
    },
    outputs: { names: shared(CertSAN) },

    reconcile({ inputs }) {
      const root = inputs.root.spec;
      const hostname = inputs.hostname.spec;
      const addresses = [...root.certSANIPs, ...inputs.addresses.spec.addresses, "127.0.0.1"];
      const api = {
        ips: sortAddresses(addresses.filter(isAddress)),
        dnsNames: sortNames([...root.certSANDNSNames, hostname.hostname, fqdn(hostname)]),
        fqdn: fqdn(hostname),
      };
      return { outputs: { names: { api: derived(api, versionsOf(Object.values(inputs))) } } };
    },
  });
