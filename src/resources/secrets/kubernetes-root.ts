import { defineResource } from "#runtime";
import { z } from "zod";
import {
  certificateMessage,
  keyedPemMessage,
  keyMessage,
  message,
  messages,
  nested,
  netIpMessage,
  text,
  texts,
  urlMessage,
  withBase64Pem,
} from "../encoding.ts";
import { certificatePem, keyedPem, keyPem } from "../pem.ts";

/**
 * The Kubernetes root, the aggregator root and the service-account key. Id: `k8s`. Accepted
 * authorities have the issuing one first; accepted keys are public and include the issuer's.
 */
export const KubernetesRoot = defineResource({
  type: "KubernetesRootSecrets.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    name: z.string(),
    endpoint: z.string(),
    localEndpoint: z.string(),
    certSANs: z.array(z.string()),
    apiServerIPs: z.array(z.string()),
    dnsDomain: z.string(),
    issuingCA: keyedPem,
    acceptedCAs: z.array(certificatePem),
    aggregatorCA: keyedPem,
    acceptedAggregatorCAs: z.array(certificatePem),
    serviceAccount: keyPem,
    serviceAccountAcceptedKeys: z.array(keyPem),
    issuerURL: z.string(),
    acceptedIssuers: z.array(z.string()),
    apiAudiences: z.array(z.string()),
    aesCBCEncryptionSecret: z.string(),
    secretboxEncryptionSecret: z.string(),
    bootstrapTokenID: z.string(),
    bootstrapTokenSecret: z.string(),
  }),
  encoding: {
    proto: message({
      name: text(1),
      endpoint: nested(2, urlMessage),
      localEndpoint: nested(3, urlMessage),
      certSANs: texts(4),
      dnsDomain: text(6),
      issuingCA: nested(7, keyedPemMessage),
      serviceAccount: nested(8, keyMessage),
      aggregatorCA: nested(9, keyedPemMessage),
      aesCBCEncryptionSecret: text(10),
      bootstrapTokenID: text(11),
      bootstrapTokenSecret: text(12),
      secretboxEncryptionSecret: text(13),
      apiServerIPs: messages(14, netIpMessage),
      acceptedCAs: messages(15, certificateMessage),
      acceptedAggregatorCAs: messages(17, certificateMessage),
      serviceAccountAcceptedKeys: messages(18, keyMessage),
      issuerURL: text(19),
      acceptedIssuers: texts(20),
      apiAudiences: texts(21),
    }),
    yaml: ({ name, endpoint, localEndpoint, ...rest }) =>
      withBase64Pem({ name, endpoint, local_endpoint: localEndpoint, ...rest }),
  },
});
