import { defineResource } from "#runtime";
import { z } from "zod";

/** What a member said of itself last. Kept apart from its record, which that cannot change. Id: the node's id. */
export const MemberReport = defineResource({
  type: "MemberReports.cluster.trustplane.dev",
  namespace: "cluster",
  printColumns: [
    { name: "Hostname", jsonPath: "{.hostname}" },
    { name: "Heard", jsonPath: "{.heard}" },
    { name: "Serves", jsonPath: "{.serves}" },
  ],
  spec: z.object({
    /** RFC 3339, by the clock of who was told. */
    heard: z.string(),
    hostname: z.string(),
    addresses: z.array(z.string()),
    operatingSystem: z.string(),
    certificates: z.array(
      z.object({
        id: z.string(),
        serialNumber: z.string(),
        /** SHA-256, lower hex. */
        fingerprint: z.string(),
        /** SHA-256 over its authority, lower hex; may be empty. */
        issuerFingerprint: z.string(),
        /** RFC 3339. */
        notAfter: z.string(),
        state: z.string(),
        why: z.string(),
      }),
    ),
    /** SHA-256 over each authority that its API accepts, lower hex. */
    acceptedAuthorities: z.array(z.string()),
    /** SHA-256 over the certificate that its API serves, lower hex. */
    serves: z.string(),
    apiPort: z.number(),
  }),
});
