import { defineResource } from "#runtime";
import { z } from "zod";
import {
  certificateMessage,
  keyedPemMessage,
  message,
  messages,
  nested,
  netIpMessage,
  text,
  texts,
  withBase64Pem,
} from "../encoding.ts";
import { certificatePem, keyedPem } from "../pem.ts";

/** The Talos API root: authority, accepted authorities (the issuing one last), token. Id: `os`. */
export const OSRoot = defineResource({
  type: "OSRootSecrets.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    /** Null where the node holds no key: on workers. */
    issuingCA: keyedPem.nullable(),
    certSANIPs: z.array(z.string()),
    certSANDNSNames: z.array(z.string()),
    token: z.string(),
    acceptedCAs: z.array(certificatePem),
  }),
  encoding: {
    proto: message({
      issuingCA: nested(1, keyedPemMessage),
      certSANIPs: messages(2, netIpMessage),
      certSANDNSNames: texts(3),
      token: text(4),
      acceptedCAs: messages(5, certificateMessage),
    }),
    yaml: withBase64Pem,
  },
});
