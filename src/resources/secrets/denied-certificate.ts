import { defineResource } from "#runtime";
import { z } from "zod";

/** A client certificate that apid turns away, whatever its authority. Id: SHA-256 of it, lower hex. */
export const DeniedCertificate = defineResource({
  type: "DeniedCertificates.secrets.trustplane.dev",
  namespace: "secrets",
  aliases: ["denied"],
  printColumns: [
    { name: "Since", jsonPath: "{.since}" },
    { name: "Reason", jsonPath: "{.reason}" },
  ],
  spec: z.object({
    /** For people; may be empty. */
    reason: z.string(),
    /** RFC 3339. */
    since: z.string(),
  }),
});
