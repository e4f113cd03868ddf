import { defineResource } from "#runtime";
import { z } from "zod";
import {
  bool,
  certificateMessage,
  keyedPemMessage,
  message,
  messages,
  nested,
  withBase64Pem,
} from "../encoding.ts";
import { certificatePem, keyedPem } from "../pem.ts";

/** What apid serves, what it is as a client, and whom it trusts. Id: `api`. */
export const ApiCertificates = defineResource({
  type: "ApiCertificates.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    acceptedCAs: z.array(certificatePem),
    /** Null on workers. */
    client: keyedPem.nullable(),
    server: keyedPem,
    skipVerifyingClientCert: z.boolean(),
  }),
  encoding: {
    proto: message({
      client: nested(2, keyedPemMessage),
      server: nested(3, keyedPemMessage),
      acceptedCAs: messages(4, certificateMessage),
      skipVerifyingClientCert: bool(5),
    }),
    yaml: withBase64Pem,
  },
});
