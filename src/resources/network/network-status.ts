import { defineResource } from "#runtime";
import { z } from "zod";
import { bool, message } from "../encoding.ts";

/** What of the network is known. Id: `status`. */
export const NetworkStatus = defineResource({
  type: "NetworkStatuses.net.talos.dev",
  namespace: "network",
  aliases: ["netstatus", "netstatuses"],
  printColumns: [
    { name: "Address", jsonPath: "{.addressReady}" },
    { name: "Connectivity", jsonPath: "{.connectivityReady}" },
    { name: "Hostname", jsonPath: "{.hostnameReady}" },
    { name: "Etc", jsonPath: "{.etcFilesReady}" },
  ],
  spec: z.object({
    addressReady: z.boolean(),
    connectivityReady: z.boolean(),
    hostnameReady: z.boolean(),
    etcFilesReady: z.boolean(),
  }),
  encoding: {
    proto: message({
      addressReady: bool(1),
      connectivityReady: bool(2),
      hostnameReady: bool(3),
      etcFilesReady: bool(4),
    }),
  },
});
