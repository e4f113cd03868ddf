import { defineResource } from "#runtime";
import { z } from "zod";
import { certificatePem, keyedPem } from "../pem.ts";

/**
 * What a node that joins by token holds: its certificates, and the request that is on its way. Workers
 * only. Id: `node`.
 */
export const NodeCertificate = defineResource({
  type: "NodeCertificates.secrets.trustplane.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    /** What its API serves; null until it was issued. */
    serving: keyedPem.nullable(),
    /** What it is a client with; null until it was issued, and where the signer knows no such thing. */
    identity: keyedPem.nullable(),
    /** What the signer accepts. */
    acceptedCAs: z.array(certificatePem),
    /** SHA-256 over each authority that the configuration accepted when that was asked for, lower hex. */
    acceptedThen: z.array(z.string()),
    /** As the cluster has it on record; empty where the signer does not say. */
    machineType: z.string(),
    /** Where apid of the signer listens; 0 where the signer does not say. */
    apiPort: z.number(),
    /** How far the signer's clock is ahead of this one's, milliseconds; null: not measured. */
    peerSkew: z.number().nullable(),
    /** Written before it is sent, and sent again until it is answered; null: nothing is asked. */
    pending: z
      .object({
        /** 32 lower hex digits. */
        requestId: z.string(),
        /** RFC 3339. */
        since: z.string(),
        servingKey: z.string(),
        servingCsr: z.string(),
        identityKey: z.string(),
        identityCsr: z.string(),
      })
      .nullable(),
  }),
});
