import { defineResource } from "#runtime";
import { z } from "zod";
import { message, text } from "../encoding.ts";

/** The node's name. Id: `hostname`. */
export const HostnameStatus = defineResource({
  type: "HostnameStatuses.net.talos.dev",
  namespace: "network",
  aliases: ["hostname"],
  printColumns: [
    { name: "Hostname", jsonPath: "{.hostname}" },
    { name: "Domainname", jsonPath: "{.domainname}" },
  ],
  spec: z.object({ hostname: z.string(), domainname: z.string() }),
  encoding: { proto: message({ hostname: text(1), domainname: text(2) }) },
});

/** The fully qualified name: `hostname` or `hostname.domainname`. */
export const fqdn = (status: { readonly hostname: string; readonly domainname: string }): string =>
  status.domainname === "" ? status.hostname : `${status.hostname}.${status.domainname}`;
