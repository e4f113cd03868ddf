import { defineResource } from "#runtime";
import { z } from "zod";

/** What may be asked for with a token; an empty list bounds nothing. */
export const bounds = z.object({
  /** DNS names; `*.example.com` stands for every name with one label more. */
  dnsNames: z.array(z.string()),
  /** Addresses and CIDRs. */
  addresses: z.array(z.string()),
});

/** A token that nodes join with, without the token itself. Id: what stands before its dot. */
export const JoinToken = defineResource({
  type: "JoinTokens.secrets.trustplane.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  printColumns: [
    { name: "Uses", jsonPath: "{.uses}" },
    { name: "Used", jsonPath: "{.used}" },
    { name: "Not After", jsonPath: "{.notAfter}" },
    { name: "Description", jsonPath: "{.description}" },
  ],
  spec: z.object({
    /** SHA-256 over the token, lower hex. */
    hash: z.string(),
    description: z.string(),
    /** RFC 3339. */
    created: z.string(),
    /** RFC 3339; empty: it has no end. */
    notAfter: z.string(),
    /** RFC 3339; empty: it was not revoked. */
    revoked: z.string(),
    /** How many joins it is good for; 0: any number. */
    uses: z.number(),
    used: z.number(),
    bounds,
    machineType: z.enum(["controlplane", "worker"]),
  }),
});
