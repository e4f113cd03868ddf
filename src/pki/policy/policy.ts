/** What may be issued, as data: rules by the names of profiles. */
import type { Certificate } from "../certificate.ts";

/** What certificates of one profile may be. */
export interface ProfileRules {
  /** Patterns of the common name, in which `*` stands for any text; one that is absent is empty. */
  readonly commonNames?: readonly string[];
  /** Whether the common name has to be one of the DNS names or addresses, or empty. */
  readonly commonNameIsName?: boolean;
  /** Patterns of the only organizations that there may be. */
  readonly organizations?: readonly string[];
  readonly excludedOrganizations?: readonly string[];
  /** How many DNS names and addresses there may be together. */
  readonly namesMax?: number;
  /** The only DNS names: exact, `*.example.com` for every name with one label more, `*` for any host name. */
  readonly dnsNames?: readonly string[];
  readonly excludedDnsNames?: readonly string[];
  /** Whether a DNS name may begin with `*.`. */
  readonly wildcards?: boolean;
  /** The only addresses: themselves, or CIDRs that they lie in. */
  readonly addresses?: readonly string[];
  readonly excludedAddresses?: readonly string[];
  /** Exactly these, in any order. */
  readonly keyUsages?: readonly string[];
  /** Exactly these, in any order. */
  readonly extKeyUsages?: readonly string[];
  /** As `24h`; what a certificate is backdated by is not counted. */
  readonly lifetimeMax?: string;
  /** `Ed25519`, `P-256`, `P-384`, `P-521`; `RSA-2048` stands for RSA of so many bits or more. */
  readonly keyAlgorithms?: readonly string[];
}

/** The name of a rule. */
export type RuleName = keyof ProfileRules;

/** The rules by the names of profiles. */
export interface Policy {
  readonly profiles: Readonly<Partial<Record<string, ProfileRules>>>;
}

/** What bounds a token; an empty list bounds nothing. */
export interface Bounds {
  /** `*.example.com` stands for every name with one label more. */
  readonly dnsNames: readonly string[];
  /** Addresses and CIDRs. */
  readonly addresses: readonly string[];
}

type Asked = "subject" | "publicKey" | "dnsNames" | "ipAddresses";
type Given = "subjectAltNames" | "isCa" | "keyUsages" | "extKeyUsages" | "notBefore" | "notAfter";

/** A certificate, or of a request what it asks for: the rest is not judged. */
export type Judged = Pick<Certificate, Asked> & Partial<Pick<Certificate, Given>>;

/** What one rule says of one value. */
export interface Finding {
  /** Where the rule stands: `nodeServer.dnsNames` of the policy, or `token.addresses`. */
  readonly rule: string;
  /** The field of the certificate, as RFC 5280 calls it. */
  readonly field: string;
  readonly value: string;
  /** Why it is refused; undefined when it is not. */
  readonly why: string | undefined;
}

/** What is refused. */
export type Refusal = Finding & { readonly why: string };
