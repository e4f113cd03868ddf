import { defineResource } from "#runtime";
import { z } from "zod";

const texts = z.array(z.string()).optional();

/** What certificates of one profile may be; what is left out is as in the default policy. */
const rules = z.object({
  /** Patterns of the common name: `*` stands for any text, and an absent one is empty. */
  commonNames: texts,
  /** Whether it has to be one of the names and addresses, or empty. */
  commonNameIsName: z.boolean().optional(),
  /** Patterns of the only organizations that there may be. */
  organizations: texts,
  excludedOrganizations: texts,
  /** How many names and addresses together. */
  namesMax: z.number().optional(),
  /** Exact, or with one `*` label first, or `*` alone: any host name. */
  dnsNames: texts,
  excludedDnsNames: texts,
  /** Whether a name may begin with `*.`. */
  wildcards: z.boolean().optional(),
  /** Addresses and CIDRs. */
  addresses: texts,
  excludedAddresses: texts,
  /** Exactly these. */
  keyUsages: texts,
  extKeyUsages: texts,
  /** Duration as in `24h`, without what it is backdated by. */
  lifetimeMax: z.string().optional(),
  /** Kinds of keys, as `Ed25519`, `P-256`, and `RSA-2048` for so many bits or more. */
  keyAlgorithms: texts,
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
    profiles: z.record(z.string(), rules),
  }),
});
