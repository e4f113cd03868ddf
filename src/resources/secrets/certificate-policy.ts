import { defineResource } from "#runtime";
import { z } from "zod";

/** What certificates of one profile may be; what is left out is not bounded. */
const rule = z.object({
  /** Patterns of the common name: `*` stands for any text. */
  commonNames: z.array(z.string()).optional(),
  /** The only organizations that there may be. */
  organizations: z.array(z.string()).optional(),
  /** Exact, or with one `*` label first, or `*` alone: any host name. */
  dnsNames: z.array(z.string()).optional(),
  /** Addresses and CIDRs. */
  addresses: z.array(z.string()).optional(),
  /** How many names and addresses together. */
  namesMax: z.number().optional(),
  keyUsages: z.array(z.string()).optional(),
  extKeyUsages: z.array(z.string()).optional(),
  /** Duration as in `24h`, from notBefore to notAfter. */
  lifetimeMax: z.string().optional(),
  /** Names of key algorithms, as `Ed25519`, `P-256`, `RSA-2048`. */
  keyAlgorithms: z.array(z.string()).optional(),
});

/** What may be issued, by the names of profiles; the one in force bounds every path. Id: `default`. */
export const CertificatePolicy = defineResource({
  type: "CertificatePolicies.secrets.trustplane.dev",
  namespace: "secrets",
  aliases: ["policy"],
  printColumns: [
    { name: "Since", jsonPath: "{.since}" },
    { name: "Description", jsonPath: "{.description}" },
  ],
  spec: z.object({
    description: z.string(),
    /** RFC 3339; empty for the one that a node begins with. */
    since: z.string(),
    profiles: z.record(z.string(), rule),
  }),
});
