/** Why each case of x509-limbo that has to fail is refused: by code, and by words of the reason. */
const table: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  ERR_CERTIFICATE_PARSE: {
    "RSA key: found the end where tag 0x30 belongs": ["invalid::invalid-issuer-key"],
    "extKeyUsage: found the end where tag 0x6 belongs": ["rfc5280::eku::ee-eku-empty"],
    "an iPAddress of name constraints has 4 octets": ["rfc5280::nc::invalid-ipv4-address"],
    "an iPAddress of name constraints has 16 octets": ["rfc5280::nc::invalid-ipv6-address"],
    "an iPAddress has 8 octets": ["rfc5280::nc::nc-permits-invalid-ip-san"],
    "subjectAltName: found tag 0x65 where tag 0x30 belongs": ["rfc5280::san::malformed"],
    "serialNumber is negative": ["rfc5280::serial::negative"],
    "extension 2.5.29.17 is there twice": ["rfc5280::duplicate-extensions"],
    "signatureAlgorithm differs from the one that is signed": [
      "rfc5280::mismatching-signature-algorithm",
    ],
    "nameConstraints is empty": ["webpki::nc::intermediate-permitted-excluded-subtrees-both-null"],
    "subtree: found the end where tag 0x30 belongs": [
      "webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences",
    ],
    "a bad IA5String": ["webpki::san::unicode-emoji-san"],
    "named curve: found tag 0x30 where tag 0x6 belongs": ["webpki::explicit-curve"],
    "keys on the curve P-192 are not supported; P-256, P-384, P-521 are": [
      "webpki::forbidden-p192-root",
      "webpki::forbidden-p192-leaf",
    ],
    "signatures by algorithm 2.16.840.1.101.3.4.3.2 are not supported": [
      "webpki::forbidden-dsa-root",
    ],
    "keys of algorithm 1.2.840.10040.4.1 are not supported": ["webpki::forbidden-dsa-leaf"],
  },
  ERR_CHAIN_CRITICAL_EXTENSION: {
    "not understood: 1.3.6.1.4.1.55738.666.1": [
      "rfc5280::unknown-critical-extension-ee",
      "rfc5280::unknown-critical-extension-root",
      "rfc5280::unknown-critical-extension-intermediate",
    ],
    "not understood: 1.3.6.1.5.5.7.1.1": ["rfc5280::ee-critical-aia-invalid"],
  },
  ERR_CHAIN_DEPTH: {
    "of the path, which may have": [
      "pathlen::max-chain-depth-0-exhausted",
      "pathlen::max-chain-depth-1-exhausted",
      "pathological::pathological-chain-distinct-subject-distinct-key",
      "pathological::pathological-chain-distinct-subject-same-key",
    ],
  },
  ERR_CHAIN_EXPIRED: {
    "expired at 2020-01-01": [
      "rfc5280::validity::expired-root",
      "rfc5280::validity::expired-intermediate",
    ],
    "expired at 2021-01-01": ["rfc5280::validity::expired-leaf"],
    "expired at 2024-04-01": [
      "rfc5280::validity::expired-1-second",
      "rfc5280::validity::expired-5-seconds",
    ],
  },
  ERR_CHAIN_EXT_KEY_USAGE: {
    "its extKeyUsage is clientAuth": ["rfc5280::eku::ee-wrong-eku"],
  },
  ERR_CHAIN_KEY_USAGE: {
    "lacks keyCertSign": ["rfc5280::root-inconsistent-ca-extensions"],
  },
  ERR_CHAIN_NAME_CONSTRAINTS: {
    "which is excluded": [
      "cve::cve-2025-61727",
      "rfc5280::nc::excluded-dns-match",
      "rfc5280::nc::excluded-dns-match-second",
      "rfc5280::nc::excluded-ipv4-match",
      "rfc5280::nc::excluded-ipv6-match",
      "rfc5280::nc::excluded-match-permitted-and-excluded",
      "rfc5280::nc::intermediate-with-san-rejected-by-intermediate-nc",
      "rfc5280::nc::intermediate-with-san-rejected-by-root-nc",
      "rfc5280::nc::nc-forbids-dnsname-wildcard-san",
    ],
    "not among those permitted": [
      "cve::cve-2025-61727-nc-permits-variant",
      "rfc5280::nc::permitted-ip-mismatch",
      "rfc5280::nc::excluded-self-issued-leaf",
      "rfc5280::nc::restrictive-permits-in-intermediates-narrows",
      "rfc5280::nc::restrictive-permits-in-intermediates-widens",
      "rfc5280::nc::nc-permits-email-literal-asterisk-rejects-user",
      "rfc5280::nc::nc-permits-email-literal-asterisk-rejects-subdomain",
      "rfc5280::nc::nc-permits-email-literal-double-asterisk-rejects-single",
    ],
    "malformed name constraints": [
      "rfc5280::nc::invalid-dnsname-wildcard",
      "rfc5280::nc::invalid-dnsname-leading-period",
      "rfc5280::nc::invalid-email-address",
    ],
    "cannot be held against": [
      "rfc5280::nc::nc-permits-invalid-email-san",
      "rfc5280::nc::nc-forbids-othername",
    ],
  },
  ERR_CHAIN_NAME_MISMATCH: {
    ", not for DNS ": [
      "pathological::nc-dos-3",
      "rfc5280::nc::permitted-dns-mismatch",
      "rfc5280::nc::permitted-dn-mismatch",
      "rfc5280::nc::excluded-dn-match",
      "rfc5280::nc::permitted-dn-match-subject-san-mismatch",
      "rfc5280::nc::excluded-dn-match-sub-mismatch",
      "rfc5280::ca-as-leaf-wrong-san",
      "webpki::san::mismatch-domain-san",
      "webpki::san::mismatch-subdomain-san",
      "webpki::san::mismatch-subdomain-apex-san",
      "webpki::san::mismatch-apex-subdomain-san",
      "webpki::san::wildcard-embedded-leftmost-san",
      "webpki::san::wildcard-not-in-leftmost-san",
      "webpki::san::wildcard-match-across-labels-san",
      "webpki::san::wildcard-embedded-ulabel-san",
      "webpki::san::no-san",
      "webpki::san::san-wildcard-only",
      "webpki::san::san-wildcard-only-tld",
      "webpki::v1-cert",
    ],
    ", not for IP ": ["rfc5280::san::ip-in-dns"],
  },
  ERR_CHAIN_NOT_AUTHORITY: {
    "its basicConstraints make it no authority": [
      "rfc5280::intermediate-ca-without-ca-bit",
      "rfc5280::root-missing-basic-constraints",
    ],
  },
  ERR_CHAIN_NOT_YET_VALID: {
    "is not valid before 2024-03-01": [
      "rfc5280::validity::notbefore-fractional",
      "rfc5280::validity::not-yet-valid-1-second",
      "rfc5280::validity::not-yet-valid-5-seconds",
    ],
  },
  ERR_CHAIN_PATH_LENGTH: {
    "but its pathLenConstraint is 0": [
      "pathlen::intermediate-violates-pathlen-0",
      "pathlen::intermediate-pathlen-too-long",
    ],
  },
  ERR_CHAIN_PROFILE: {
    "has the extension 2.5.29.35 marked critical, against RFC 5280 §4.2": [
      "rfc5280::aki::critical-aki",
    ],
    "has no authorityKeyIdentifier, and is not self-issued (RFC 5280 §4.2.1.1)": [
      "rfc5280::aki::leaf-missing-aki",
      "rfc5280::aki::intermediate-missing-aki",
      "rfc5280::aki::cross-signed-root-missing-aki",
    ],
    "has the extension 2.5.29.30 marked not critical, against RFC 5280 §4.2": [
      "rfc5280::nc::permitted-dns-match-noncritical",
      "rfc5280::nc::not-allowed-in-ee-noncritical",
    ],
    "is no authority, but has nameConstraints (RFC 5280 §4.2.1.10)": [
      "rfc5280::nc::not-allowed-in-ee-critical",
    ],
    "has a dNSName that is not in the preferred name syntax (RFC 5280 §4.2.1.6)": [
      "rfc5280::nc::nc-permits-invalid-dns-san",
      "rfc5280::san::underscore-dns",
    ],
    "has the extension 2.5.29.36 marked not critical, against RFC 5280 §4.2": [
      "rfc5280::pc::ica-noncritical-pc",
    ],
    "has no subject, and its subjectAltName is not critical (RFC 5280 §4.1.2.6)": [
      "rfc5280::san::noncritical-with-empty-subject",
    ],
    "has a serial number that is not of 1 to 20 octets and positive (RFC 5280 §4.1.2.2)": [
      "rfc5280::serial::too-long",
      "rfc5280::serial::zero",
    ],
    "has the extension 2.5.29.14 marked critical, against RFC 5280 §4.2": [
      "rfc5280::ski::critical-ski",
    ],
    "is an authority without a subjectKeyIdentifier (RFC 5280 §4.2.1.2)": [
      "rfc5280::ski::root-missing-ski",
      "rfc5280::ski::intermediate-missing-ski",
    ],
    "has no issuer (RFC 5280 §4.1.2.4)": ["rfc5280::ee-empty-issuer", "rfc5280::ca-empty-subject"],
    "is an authority, but its basicConstraints is not critical (RFC 5280 §4.2.1.9)": [
      "rfc5280::root-non-critical-basic-constraints",
    ],
    "is no authority, but its keyUsage has keyCertSign (RFC 5280 §4.2.1.3)": [
      "rfc5280::leaf-ku-keycertsign",
    ],
    "has a damaged authorityInfoAccess (RFC 5280 §4.2.2.1)": ["webpki::malformed-aia"],
  },
  ERR_CHAIN_TOO_COMPLEX: {
    "are not compared": ["pathological::nc-dos-1", "pathological::nc-dos-2"],
    "the search ended": ["pathological::pathological-chain-same-subject-distinct-key"],
  },
  ERR_CHAIN_UNKNOWN_AUTHORITY: {
    "none of that name is accepted": [
      "pathological::intermediate-cycle-distinct-cas",
      "pathological::intermediate-cycle-distinct-cas-max-depth",
      "pathological::intermediate-cycle-same-logical-ca",
      "pathological::pathological-chain-same-subject-same-key",
      "rfc5280::chain-untrusted-root",
      "rfc5280::intermediate-ca-missing-basic-constraints",
      "rfc5280::ica-ku-keycertsign",
      "webpki::cryptographydotio-chain-missing-intermediate",
    ],
  },
  ERR_CHAIN_WEAK_KEY: {
    "has an RSA key of 1024 bits": [
      "webpki::forbidden-weak-rsa-key-in-root",
      "webpki::forbidden-weak-rsa-in-leaf",
    ],
  },
};

/** By the id of the case. */
export const refusals: Readonly<Record<string, readonly [code: string, words: string]>> =
  Object.fromEntries(
    Object.entries(table).flatMap(([code, reasons]) =>
      Object.entries(reasons).flatMap(([words, ids]) =>
        ids.map((id) => [id, [code, words] as const] as const),
      ),
    ),
  );
