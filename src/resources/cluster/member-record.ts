import { defineResource } from "#runtime";
import { z } from "zod";
import { bounds } from "../secrets/join-token.ts";

/**
 * A node as the cluster has it on record since it joined: what it may be, whatever it says of itself.
 * On a node that joined, the control planes and itself as it was told of them. Id: the node's id.
 */
export const MemberRecord = defineResource({
  type: "MemberRecords.cluster.trustplane.dev",
  namespace: "cluster",
  printColumns: [
    { name: "Hostname", jsonPath: "{.hostname}" },
    { name: "Machine Type", jsonPath: "{.machineType}" },
    { name: "Addresses", jsonPath: "{.addresses}" },
    { name: "Joined", jsonPath: "{.joined}" },
  ],
  spec: z.object({
    hostname: z.string(),
    /** Names beside it that are this member's own. */
    dnsNames: z.array(z.string()),
    addresses: z.array(z.string()),
    machineType: z.enum(["controlplane", "worker"]),
    /** RFC 3339; empty for one that did not join here. */
    joined: z.string(),
    /** `machine.token`, or the id of the join token; empty for one that did not join here. */
    token: z.string(),
    /** What it may ask for at renewals; null: all that the policy allows. */
    bounds: bounds.nullable(),
    /** SHA-256 over each identity certificate that has not ended, lower hex, newest last. */
    identities: z.array(z.string()),
    /** SHA-256 over the public key of each of them, lower hex; empty where that is not known. */
    identityKeys: z.array(z.string()),
    /** RFC 3339: when the certificate that it serves ends; empty where that is not known. */
    notAfter: z.string(),
    /** Where its apid listens; 0 where that is not known. */
    apiPort: z.number(),
  }),
});
