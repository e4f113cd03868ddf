/** Collects the names and addresses of a node in maintenance (talos-pki.md §6.4, `maintenance`). */
import { sortAddresses, sortNames } from "#config";
import { CertSAN, fqdn, HostnameStatus, NodeAddress } from "#resources";
import { defineController, gate, maybe, shared } from "#runtime";

export const maintenanceCertSANsController = () =>
  defineController({
    name: "secrets.MaintenanceCertSANsController",
    inputs: {
      hostname: maybe(HostnameStatus, "hostname"),
      addresses: gate(NodeAddress, "accumulative"),
    },
    outputs: { names: shared(CertSAN) },

    reconcile({ inputs }) {
      const hostname = inputs.hostname?.spec;
      return {
        outputs: {
          names: {
            maintenance: {
              ips: sortAddresses([...inputs.addresses.spec.addresses, "127.0.0.1", "::1"]),
              dnsNames: hostname ? sortNames([hostname.hostname, fqdn(hostname)]) : [],
              fqdn: "maintenance-service.talos.dev",
            },
          },
        },
      };
    },
  });
