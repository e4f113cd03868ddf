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
import { waitForRest } from "../config-version.ts";
import { keepLeaves } from "../leaves.ts";
import { readableOnes } from "../readable.ts";

export const apiController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) => {
  const waitUntil = waitForRest();
  return defineController({
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
      const wakeAt = waitUntil(clock.now(), [inputs.root, inputs.names]);
      if (wakeAt !== null) return { outputs: { certificates: held.certificates }, wakeAt };
      const { fqdn: commonName, dnsNames, ips } = inputs.names.spec;
      const holding = held.certificates.api;
      const { leaves, renewAt } = await keepLeaves({
        held: { server: holding?.server, client: holding?.client },
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
      const { server, client } = leaves;
      const trust = { acceptedCAs: readableOnes(acceptedCAs), skipVerifyingClientCert: false };
      const api = server ? { server, client, ...trust } : undefined;
      return { outputs: { certificates: { api } }, wakeAt: renewAt };
    },
  });
};
