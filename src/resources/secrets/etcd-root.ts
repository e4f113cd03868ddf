import { defineResource } from "#runtime";
import { z } from "zod";
import { keyedPemMessage, message, nested, withBase64Pem } from "../encoding.ts";
import { keyedPem } from "../pem.ts";

/** The etcd root. Id: `etcd`. */
export const EtcdRoot = defineResource({
  type: "EtcdRootSecrets.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({ etcdCA: keyedPem }),
  encoding: { proto: message({ etcdCA: nested(1, keyedPemMessage) }), yaml: withBase64Pem },
});
