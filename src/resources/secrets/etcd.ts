import { defineResource } from "#runtime";
import { z } from "zod";
import { keyedPemMessage, message, nested, withBase64Pem } from "../encoding.ts";
import { keyedPem } from "../pem.ts";

/** The certificates of an etcd member and its clients; null for one that cannot be issued. Id: `etcd`. */
export const EtcdSecrets = defineResource({
  type: "EtcdSecrets.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    etcd: keyedPem.nullable(),
    etcdPeer: keyedPem.nullable(),
    etcdAdmin: keyedPem.nullable(),
    etcdAPIServer: keyedPem.nullable(),
  }),
  encoding: {
    proto: message({
      etcd: nested(1, keyedPemMessage),
      etcdPeer: nested(2, keyedPemMessage),
      etcdAdmin: nested(3, keyedPemMessage),
      etcdAPIServer: nested(4, keyedPemMessage),
    }),
    yaml: withBase64Pem,
  },
});
