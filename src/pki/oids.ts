/** Object identifiers of names, extensions and usages; those of keys stand in keys/algorithms.ts. */

/** X.520 attributes, in the order in which a subject lists them (talos-pki.md §2.1). */
export const attributeOids = {
  countries: "2.5.4.6",
  organizations: "2.5.4.10",
  organizationalUnits: "2.5.4.11",
  localities: "2.5.4.7",
  provinces: "2.5.4.8",
  streetAddresses: "2.5.4.9",
  postalCodes: "2.5.4.17",
  commonName: "2.5.4.3",
  serialNumber: "2.5.4.5",
} as const;

/** Short names of attributes as OpenSSL prints them. */
export const attributeNames: Readonly<Record<string, string>> = {
  [attributeOids.countries]: "C",
  [attributeOids.organizations]: "O",
  [attributeOids.organizationalUnits]: "OU",
  [attributeOids.localities]: "L",
  [attributeOids.provinces]: "ST",
  [attributeOids.streetAddresses]: "street",
  [attributeOids.postalCodes]: "postalCode",
  [attributeOids.commonName]: "CN",
  [attributeOids.serialNumber]: "serialNumber",
  "1.2.840.113549.1.9.1": "emailAddress",
  "0.9.2342.19200300.100.1.25": "DC",
  "0.9.2342.19200300.100.1.1": "UID",
};

/** Extensions that are read or written, RFC 5280 §4.2.1. */
export const extensionOids = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyIdentifier: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
} as const;

/** Extended key usages that have a name here. */
export const usageOids = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** PKCS#9, by which a certificate request asks for extensions. */
export const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
