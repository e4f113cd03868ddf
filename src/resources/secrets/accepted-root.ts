import { defineResource } from "#runtime";
import { z } from "zod";
import { withBase64Pem } from "../encoding.ts";
import { certificatePem, keyPem } from "../pem.ts";

/**
 * Roots that are trusted besides the issuing one, of those three for which the machine configuration
 * has no place. Ids: `etcd`, `aggregator`, `service-account`. Public facts only.
 */
export const AcceptedRoot = defineResource({
  type: "AcceptedRoots.secrets.talos.dev",
  namespace: "secrets",
  printColumns: [{ name: "Certificates", jsonPath: "{.count}" }],
  spec: z.object({
    count: z.number(),
    /** Accepted authorities; empty for the service account. */
    acceptedCAs: z.array(certificatePem),
    /** Accepted public keys, PEM SPKI; only for the service account. */
    acceptedKeys: z.array(keyPem),
  }),
  encoding: { yaml: withBase64Pem },
});
