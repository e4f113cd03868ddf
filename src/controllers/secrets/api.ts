/**
 * Keeps what apid serves and what it is as a client of other nodes. It does not wait for the clock, so
 * that a node without time can be reached (talos-pki.md §6.3, §6.5).
 */
import { type IssueLeaf, keepLeaf, leafProfiles } from "#pki";
import {
  ApiCertificates,
  CertSAN,
  MachineType,
  NetworkStatus,
  OSRoot,
  TimeStatus,
} from "#resources";
import { defineController, earliest, exclusive, gate, maybe, one } from "#runtime";

export const apiController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) =>
  defineController({
    name: "secrets.APIController",
    inputs: {
      root: one(OSRoot, "os"),
      type: one(MachineType, "machine-type"),
      network: gate(NetworkStatus, "status", (status) => status.addressReady),
      names: gate(CertSAN, "api"),
      time: maybe(TimeStatus, "node"), // not waited for: a change of the clock is a reason to look
    },
    outputs: { certificates: exclusive(ApiCertificates) },

    async reconcile({ inputs, held, clock }) {
      const { issuingCA: authority, acceptedCAs } = inputs.root.spec;
      if (!authority) return { outputs: { certificates: {} } }; // a worker asks trustd
      const { fqdn, dnsNames, ips } = inputs.names.spec;
      const now = clock.now();
      const server = await keepLeaf({
        held: held.certificates.api?.server,
        request: {
          profile: leafProfiles.apidServer,
          authority,
          commonName: fqdn,
          dnsNames,
          ipAddresses: ips,
          now,
        },
        issueLeaf,
      });
      const client = await keepLeaf({
        held: held.certificates.api?.client ?? undefined,
        request: { profile: leafProfiles.apidClient, authority, commonName: fqdn, now },
        issueLeaf,
      });
      return {
        outputs: {
          certificates: {
            api: {
              acceptedCAs,
              client: client.leaf,
              server: server.leaf,
              skipVerifyingClientCert: false,
            },
          },
        },
        wakeAt: earliest([server.renewAt, client.renewAt]),
      };
    },
  });
