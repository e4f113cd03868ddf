/**
 * Keeps what apid serves and what it is as a client of other nodes. It does not wait for the clock, so
 * that a node without time can be reached (talos-pki.md §6.3, §6.5). A worker serves what trustd issued,
 * and is nobody to other nodes.
 */
import { type IssueLeaf, leafProfiles } from "#pki";
import {
  ApiCertificates,
  CertSAN,
  MachineType,
  NetworkStatus,
  NodeCertificate,
  OSRoot,
  RenewalRequest,
  TimeStatus,
} from "#resources";
import {
  all,
  type DeepReadonly,
  defineController,
  exclusive,
  gate,
  maybe,
  one,
  type SpecOf,
} from "#runtime";
import { waitForRest } from "../config-version.ts";
import { keepLeaves } from "../leaves.ts";
import { type NodeHolding, trustedCAs } from "../node-trust.ts";
import { readableOnes } from "../readable.ts";
import { replacementsOf } from "../renewal-requests.ts";

/** Under which ids its leaves are reported, and asked for. */
const IDS = {
  server: "apid-server",
  client: "apid-client",
} as const;

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
      requests: all(RenewalRequest),
      node: maybe(NodeCertificate, "node"),
    },
    outputs: { certificates: exclusive(ApiCertificates) },

    async reconcile({ inputs, held, clock }) {
      const { issuingCA: authority, acceptedCAs } = inputs.root.spec;
      if (inputs.type.spec.type === "worker" || !authority)
        return {
          outputs: {
            certificates: ofWorker(inputs.root.spec, inputs.node?.spec) ?? held.certificates,
          },
        };
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
        replacements: replacementsOf(inputs.requests, IDS),
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

/** Undefined as long as nothing was issued, or what was is lost: then what is served stays. */
function ofWorker(root: DeepReadonly<SpecOf<typeof OSRoot>>, node: NodeHolding | undefined) {
  if (!node?.serving) return undefined;
  const acceptedCAs = trustedCAs(root, node).map(({ pem }) => ({ crt: pem }));
  return {
    api: { server: node.serving, client: null, acceptedCAs, skipVerifyingClientCert: false },
  };
}
