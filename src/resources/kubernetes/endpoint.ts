import { defineResource } from "#runtime";
import { z } from "zod";
import { message, messages, netIpMessage, texts } from "../encoding.ts";

/** Where control planes are, as one source knows it. Id: the source, `controlplane` or `discovery`. */
export const Endpoint = defineResource({
  type: "Endpoints.kubernetes.talos.dev",
  namespace: "controlplane",
  printColumns: [
    { name: "Addresses", jsonPath: "{.addresses}" },
    { name: "Hosts", jsonPath: "{.hosts}" },
  ],
  spec: z.object({ addresses: z.array(z.string()), hosts: z.array(z.string()) }),
  encoding: { proto: message({ addresses: messages(1, netIpMessage), hosts: texts(2) }) },
});
