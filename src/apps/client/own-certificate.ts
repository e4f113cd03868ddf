/** What is wrong with our own certificate, found before anybody is bothered with it. */
import { organizations, readCertificate } from "#pki";
import { days, rfc3339, type Clock } from "#runtime";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { opensslKey } from "../rpc/openssl-key.ts";
import { CertificateProblemError, type CertificateProblem } from "./errors.ts";

/** How a client identifies itself, and whom it believes. PEM texts. */
export interface Identity {
  /** Several certificates are fine; empty: those of the system. */
  readonly ca: string;
  readonly crt: string;
  readonly key: string;
  /** Where this comes from, for messages: `context "admin" in ./talosconfig`. */
  readonly source: string;
}

/** Cure for everything that is wrong with a client certificate. */
export const NEW_TALOSCONFIG =
  "issue a new talosconfig: trustplane gen config NAME ENDPOINT --with-secrets secrets.yaml " +
  "--output-types talosconfig";

/**
 * Checks dates, usage and key of the client certificate.
 *
 * @throws {CertificateProblemError}
 * @throws {PemLabelError} {@link CertificateParseError} when it cannot be read
 */
export function checkIdentity({ crt, key, source }: Identity, clock: Clock): void {
  const { notBefore, notAfter, extKeyUsages } = readCertificate(crt, source);
  const certificate = new X509Certificate(crt);
  const whose = `the client certificate of ${source}`;
  const problem = (code: CertificateProblem, sentence: string, hint = NEW_TALOSCONFIG) =>
    new CertificateProblemError(code, { sentence, whose, certificate, hint });

  const now = clock.now();
  if (now > notAfter)
    throw problem(
      "ERR_CLIENT_CERTIFICATE_EXPIRED",
      "failed to connect: x509: certificate has expired",
    );
  if (now < notBefore)
    throw problem(
      "ERR_CLIENT_CERTIFICATE_NOT_YET_VALID",
      "failed to connect: x509: certificate is not yet valid",
      "set the clock of this machine, or wait",
    );
  if (!extKeyUsages.includes("clientAuth"))
    throw problem(
      "ERR_CLIENT_CERTIFICATE_USAGE",
      "certificate is missing the client auth extended key usage",
    );
  if (extKeyUsages.length > 1)
    throw problem(
      "ERR_CLIENT_CERTIFICATE_USAGE",
      "certificate has more than the client auth extended key usage, and nodes take no other",
    );
  if (!isKeyOf(certificate, key))
    throw problem("ERR_CLIENT_CERTIFICATE_KEY", "the private key is not that of the certificate");
}

/** From when on an end is near. */
const NEAR = days(30);

/**
 * Says that the client certificate ends within 30 days, and how to get another one.
 *
 * @returns nothing while there is time
 */
export function endsSoon({ crt, source }: Omit<Identity, "ca" | "key">, clock: Clock) {
  const { notAfter, subject } = readCertificate(crt, source);
  const left = notAfter - clock.now();
  if (left < 0 || left >= NEAR) return undefined;
  const roles = organizations(subject);
  const whole = Math.floor(left / days(1));
  const distance =
    whole === 0 ? "in less than a day" : whole === 1 ? "in 1 day" : `in ${whole} days`;
  return (
    `the client certificate of ${source} ends ${distance}, at ${rfc3339(notAfter)}: ` +
    `trustplane config new FILE${roles.length === 0 ? "" : ` --roles ${roles.join(",")}`} issues another one`
  );
}

function isKeyOf(certificate: X509Certificate, pem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(opensslKey(pem)));
  } catch {
    return false; // what is in the text must not get into a message
  }
}
