import { defineResource } from "#runtime";
import { z } from "zod";
import { message, messages, netIpMessage, text, texts } from "../encoding.ts";

/** Names and addresses of serving certificates, sorted and without repeats. Ids: `api`, `k8s`, `maintenance`. */
export const CertSAN = defineResource({
  type: "CertSANs.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({ ips: z.array(z.string()), dnsNames: z.array(z.string()), fqdn: z.string() }),
  encoding: {
    proto: message({ ips: messages(1, netIpMessage), dnsNames: texts(2), fqdn: text(3) }),
  },
});
