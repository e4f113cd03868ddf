import { defineResource } from "#runtime";
import { z } from "zod";

/** A certificate that was issued to a node, until it has ended. Id: its serial number, lower hex. */
export const IssuedCertificate = defineResource({
  type: "IssuedCertificates.secrets.trustplane.dev",
  namespace: "secrets",
  aliases: ["issued"],
  printColumns: [
    { name: "Profile", jsonPath: "{.profile}" },
    { name: "Subject", jsonPath: "{.subject}" },
    { name: "Node", jsonPath: "{.nodeId}" },
    { name: "Not After", jsonPath: "{.notAfter}" },
  ],
  spec: z.object({
    /** SHA-256 over the certificate, lower hex. */
    fingerprint: z.string(),
    /** Name of the profile. */
    profile: z.string(),
    subject: z.string(),
    dnsNames: z.array(z.string()),
    ipAddresses: z.array(z.string()),
    /** RFC 3339. */
    notBefore: z.string(),
    /** RFC 3339. */
    notAfter: z.string(),
    /** SHA-256 over the public key, lower hex. */
    spkiFingerprint: z.string(),
    /** Empty for one that asked as Talos' workers do, who say not who they are. */
    nodeId: z.string(),
    /** `machine.token`, the id of a join token, or empty for a renewal. */
    token: z.string(),
    /** Address and port of who asked. */
    peer: z.string(),
  }),
});
