import { defineResource } from "#runtime";
import { z } from "zod";

/**
 * A request of a node that was answered, so that a repeat gets the same answer, until the certificates
 * end. Id: SHA-256 over all that the request says, lower hex.
 */
export const AnsweredRequest = defineResource({
  type: "AnsweredRequests.secrets.trustplane.dev",
  namespace: "secrets",
  printColumns: [
    { name: "Node", jsonPath: "{.nodeId}" },
    { name: "Answered", jsonPath: "{.answered}" },
  ],
  spec: z.object({
    nodeId: z.string(),
    /** RFC 3339. */
    answered: z.string(),
    /** RFC 3339. */
    notAfter: z.string(),
    /** PEM. */
    servingCrt: z.string(),
    /** PEM. */
    identityCrt: z.string(),
  }),
});
