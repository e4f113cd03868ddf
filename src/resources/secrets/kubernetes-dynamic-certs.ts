import { defineResource } from "#runtime";
import { z } from "zod";
import { keyedPemMessage, message, nested, withBase64Pem } from "../encoding.ts";
import { keyedPem } from "../pem.ts";

/**
 * Certificates of kube-apiserver, which reads them anew without a restart; null for one that cannot be
 * issued. Id: `k8s-dynamic-certs`.
 */
export const KubernetesDynamicCerts = defineResource({
  type: "KubernetesDynamicCerts.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    apiServer: keyedPem.nullable(),
    apiServerKubeletClient: keyedPem.nullable(),
    frontProxy: keyedPem.nullable(),
  }),
  encoding: {
    proto: message({
      apiServer: nested(1, keyedPemMessage),
      apiServerKubeletClient: nested(2, keyedPemMessage),
      frontProxy: nested(3, keyedPemMessage),
    }),
    yaml: withBase64Pem,
  },
});
