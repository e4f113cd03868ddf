/** The cases of x509-limbo that are not decided here, each with the reason. */

export interface Skip {
  readonly reason: string;
  readonly ids: readonly string[];
}

const under = (prefix: string, ...names: readonly string[]) => names.map((name) => prefix + name);

export const skips: readonly Skip[] = [
  {
    reason: "crl: revocation lists are not read; a node withdraws a certificate by other means",
    ids: under(
      "crl::",
      "revoked-certificate-with-crl",
      "crlnumber-missing",
      "certificate-not-on-crl",
      "certificate-serial-on-crl-different-issuer",
      "crlnumber-critical",
      "issuer-missing-crlsign",
      "issuer-no-keyusage-extension",
      "issuer-valid-crlsign-and-keycertsign",
    ),
  },
  {
    reason: "CABF: what a common name may say; it is never read as a host here",
    ids: under(
      "webpki::cn::",
      "ipv4-hex-mismatch",
      "ipv4-leading-zeros-mismatch",
      "ipv6-uppercase-mismatch",
      "ipv6-uncompressed-mismatch",
      "ipv6-non-rfc5952-mismatch",
      "punycode-not-in-san",
      "utf8-vs-punycode-mismatch",
      "not-in-san",
      "case-mismatch",
    ),
  },
  {
    reason: "CABF: the form of a root's authorityKeyIdentifier, which RFC 5280 leaves open",
    ids: under(
      "webpki::aki::root-with-aki-",
      "missing-keyidentifier",
      "authoritycertissuer",
      "authoritycertserialnumber",
      "all-fields",
      "ski-mismatch",
    ),
  },
  {
    reason:
      "CABF: extKeyUsage has to be there, on leaves only, not critical, without anyExtendedKeyUsage; RFC 5280 §4.2.1.12 allows all of it, and Talos' authorities have one",
    ids: under("webpki::eku::", "ee-anyeku", "ee-critical-eku", "ee-without-eku", "root-has-eku"),
  },
  {
    reason: "CABF: wildcards under public suffixes need the Public Suffix List",
    ids: under(
      "webpki::san::public-suffix-",
      "wildcard-san",
      "multi-label-wildcard-san",
      "private-namespace-wildcard-san",
    ),
  },
  {
    reason: "CABF: subjectAltName is not critical beside a subject; RFC 5280 §4.2.1.6 says SHOULD",
    ids: ["webpki::san::san-critical-with-nonempty-subject"],
  },
  {
    reason: "CABF: a leaf is no authority; the opposite of rfc5280::ca-as-leaf, which passes",
    ids: ["webpki::ee-basicconstraints-ca", "webpki::ca-as-leaf"],
  },
  {
    reason: "CABF: RSA moduli of a length that 8 divides; RFC 5280 has no such rule",
    ids: under(
      "webpki::forbidden-rsa-",
      "not-divisible-by-8-in-root",
      "key-not-divisible-by-8-in-leaf",
    ),
  },
];
