/**
 * Obligations that RFC 5280 §4 lays on issuers and §6 does not ask verifiers for. Talos itself, and
 * authorities that Kubernetes and OpenSSL made, break some of them: an aggregator authority has no
 * subject, old roots have serial number 0 or no key identifier. So they are asked for separately.
 */
import type { Certificate, Extension } from "../certificate.ts";
import { wholeSequence } from "../der/reader.ts";
import { DerError } from "../errors.ts";
import { readGeneralName } from "../general-name.ts";
import type { Name } from "../name.ts";
import { extensionOids } from "../oids.ts";
import { allowsKeyUsage } from "./usage.ts";

const SERIAL_BITS_MAX = 8 * 20 - 1;
const AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";

/** Extensions whose criticality is not for the issuer to choose. */
const criticality: Readonly<Record<string, boolean>> = {
  [extensionOids.nameConstraints]: true, // §4.2.1.10
  "2.5.29.36": true, // policyConstraints, §4.2.1.11
  "2.5.29.54": true, // inhibitAnyPolicy, §4.2.1.14
  [extensionOids.authorityKeyIdentifier]: false, // §4.2.1.1
  [extensionOids.subjectKeyIdentifier]: false, // §4.2.1.2
  "2.5.29.9": false, // subjectDirectoryAttributes, §4.2.1.8
  "2.5.29.46": false, // freshestCRL, §4.2.1.15
  [AUTHORITY_INFO_ACCESS]: false, // §4.2.2.1
  "1.3.6.1.5.5.7.1.11": false, // subjectInfoAccess, §4.2.2.2
};

type Rule = readonly [problem: string, breaks: (certificate: Certificate) => boolean];

const rules: readonly Rule[] = [
  ["has no issuer (§4.1.2.4)", ({ issuer }) => isEmpty(issuer)],
  ["is an authority without a subject (§4.1.2.6)", ({ isCa, subject }) => isCa && isEmpty(subject)],
  [
    "has no subject, and its subjectAltName is not critical (§4.1.2.6)",
    (certificate) =>
      isEmpty(certificate.subject) &&
      extension(certificate, extensionOids.subjectAltName)?.critical === false,
  ],
  [
    "is no authority, but its keyUsage has keyCertSign (§4.2.1.3)",
    ({ isCa, keyUsages }) => !isCa && keyUsages.includes("keyCertSign"),
  ],
  [
    "has a pathLenConstraint, but may not sign certificates (§4.2.1.9)",
    (certificate) =>
      certificate.pathLength !== undefined &&
      !(certificate.isCa && allowsKeyUsage(certificate, "keyCertSign")),
  ],
  [
    "is an authority, but its basicConstraints is not critical (§4.2.1.9)",
    (certificate) =>
      certificate.isCa &&
      extension(certificate, extensionOids.basicConstraints)?.critical === false,
  ],
  [
    "is no authority, but has nameConstraints (§4.2.1.10)",
    ({ isCa, nameConstraints }) => !isCa && nameConstraints !== undefined,
  ],
  [
    "is an authority without a subjectKeyIdentifier (§4.2.1.2)",
    ({ isCa, subjectKeyId }) => isCa && subjectKeyId === undefined,
  ],
  [
    "has no authorityKeyIdentifier, and is not self-issued (§4.2.1.1)",
    ({ authorityKeyId, subject, issuer }) =>
      authorityKeyId === undefined && Buffer.compare(subject.der, issuer.der) !== 0,
  ],
  [
    "has a dNSName that is not in the preferred name syntax (§4.2.1.6)",
    ({ dnsNames }) => !dnsNames.every((name) => preferred.test(name)),
  ],
  [
    "has a damaged authorityInfoAccess (§4.2.2.1)",
    (certificate) => !isAccessList(extension(certificate, AUTHORITY_INFO_ACCESS)?.value),
  ],
];

const preferred = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!$)|$))+$/i;

/**
 * The first obligation that a certificate does not meet, as the rest of a sentence.
 *
 * @param anchor it is accepted as it is: its serial number names it nowhere
 */
export function breachOf(certificate: Certificate, anchor: boolean): string | undefined {
  const { serialNumber } = certificate;
  if (!anchor && (serialNumber === 0n || serialNumber >> BigInt(SERIAL_BITS_MAX) > 0n))
    return "has a serial number that is not of 1 to 20 octets and positive (RFC 5280 §4.1.2.2)";
  for (const { oid, critical } of certificate.extensions) {
    if ((criticality[oid] ?? critical) !== critical)
      return `has the extension ${oid} marked ${critical ? "" : "not "}critical, against RFC 5280 §4.2`;
  }
  const broken = rules.find(([, breaks]) => breaks(certificate));
  return broken?.[0].replace("(§", "(RFC 5280 §");
}

const isEmpty = ({ attributes }: Name): boolean => attributes.length === 0;

const extension = ({ extensions }: Certificate, wanted: string): Extension | undefined =>
  extensions.find(({ oid }) => oid === wanted);

/** One description at least, each a method and a location. */
function isAccessList(value: Uint8Array | undefined): boolean {
  if (value === undefined) return true;
  try {
    const list = wholeSequence(value, "authorityInfoAccess");
    do {
      const description = list.sequence("accessDescription");
      description.oid("accessMethod");
      readGeneralName(description);
      description.end("accessDescription");
    } while (!list.done);
    return true;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}
