import { defineResource } from "#runtime";
import { z } from "zod";
import {
  certificateMessage,
  keyedPemMessage,
  message,
  messages,
  nested,
  withBase64Pem,
} from "../encoding.ts";
import { certificatePem, keyedPem } from "../pem.ts";

/** What trustd serves. Control planes only. Id: `trustd`. */
export const TrustdCertificates = defineResource({
  type: "TrustdCertificates.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({ acceptedCAs: z.array(certificatePem), server: keyedPem }),
  encoding: {
    proto: message({
      server: nested(2, keyedPemMessage),
      acceptedCAs: messages(3, certificateMessage),
    }),
    yaml: withBase64Pem,
  },
});
