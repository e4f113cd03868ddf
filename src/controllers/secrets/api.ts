/**
 * Keeps what apid serves and what it is as a client of other nodes. It does not wait for the clock, so
 * that a node without time can be reached (talos-pki.md §6.3, §6.5).
 */
import { type IssueLeaf, leafProfiles } from "#pki";
import {
  ApiCertificates,
  CertSAN,
  MachineType,
  NetworkStatus,
  OSRoot,
  TimeStatus,
} from "#resources";
import { defineController, exclusive, gate, maybe, one } from "#runtime";
import { keepLeaves } from "../leaves.ts";

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
      const { fqdn: commonName, dnsNames, ips } = inputs.names.spec;
      const holding = held.certificates.api;
      const { leaves, renewAt } = await keepLeaves({
        held: holding ? { server: holding.server, client: holding.client ?? undefined } : {},
        wanted: {
          server: {
            profile: leafProfiles.apidServer,
            authority,
            commonName,
            dnsNames,
            ipAddresses: ips,
          },
          client: { profile: leafProfiles.apidClient, authority, commonName },
        },
        issueLeaf,
        clock,
      });
      const api = { acceptedCAs, ...leaves, skipVerifyingClientCert: false };
      return { outputs: { certificates: { api } }, wakeAt: renewAt };
    },
  });
