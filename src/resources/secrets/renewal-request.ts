import { defineResource } from "#runtime";
import { z } from "zod";

/**
 * That somebody wants a leaf replaced before its time. Id: that of its CertificateStatus. It is about one
 * certificate, and spent when another is held, whatever the clock says.
 */
export const RenewalRequest = defineResource({
  type: "RenewalRequests.secrets.trustplane.dev",
  namespace: "secrets",
  printColumns: [
    { name: "Serial Number", jsonPath: "{.serialNumber}" },
    { name: "New Key", jsonPath: "{.newKey}" },
    { name: "Since", jsonPath: "{.since}" },
  ],
  spec: z.object({
    /** Of the certificate that is to be replaced, lower hex. */
    serialNumber: z.string(),
    /** Whether its key is to be replaced, too. */
    newKey: z.boolean(),
    /** RFC 3339. */
    since: z.string(),
  }),
});
