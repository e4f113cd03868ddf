/** Which certificates are denied. */
import { fingerprintsOf, type Certificate } from "#pki";

/** Whether one of the fingerprints is of the certificate, however its signature is written. */
export const isDenied = (certificate: Certificate, fingerprints: ReadonlySet<string>): boolean =>
  fingerprints.size > 0 &&
  fingerprintsOf(certificate).some((fingerprint) => fingerprints.has(fingerprint));
