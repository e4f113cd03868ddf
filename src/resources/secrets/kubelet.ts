import { defineResource } from "#runtime";
import { z } from "zod";
import {
  certificateMessage,
  message,
  messages,
  nested,
  text,
  urlMessage,
  withBase64Pem,
} from "../encoding.ts";
import { certificatePem } from "../pem.ts";

/** What a kubelet needs to join. Id: `kubelet`. */
export const KubeletSecrets = defineResource({
  type: "KubeletSecrets.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    endpoint: z.string(),
    acceptedCAs: z.array(certificatePem),
    bootstrapTokenID: z.string(),
    bootstrapTokenSecret: z.string(),
  }),
  encoding: {
    proto: message({
      endpoint: nested(1, urlMessage),
      bootstrapTokenID: text(3),
      bootstrapTokenSecret: text(4),
      acceptedCAs: messages(5, certificateMessage),
    }),
    yaml: withBase64Pem,
  },
});
