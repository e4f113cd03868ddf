/** Looks at certificates and keys of a new file, as Talos does not: it finds out when it uses them. */
import {
  type Certificate,
  type KeyedPem,
  type KeyProvider,
  mayIssue,
  type PemBlock,
  type PrivateKey,
  readCertificate,
  readCertificates,
  readPem,
  sameKey,
} from "#pki";
import { CodedError, type Instant, rfc3339 } from "#runtime";
import { REDACTED } from "./pem-text.ts";

/** What is needed to look at key material. */
export interface Inspection {
  readonly now: Instant;
  readonly keys: KeyProvider;
}

/** Something wrong with a certificate or its key. */
export interface Finding {
  readonly field: "crt" | "key";
  readonly message: string;
  /** Talos refuses it too, or it works later on. */
  readonly kind: "unreadable" | "unfit" | "warning";
}

/**
 * Looks at a certificate of an authority and, where there is one, its key.
 *
 * @param pair PEM texts; an empty key is not looked at
 * @param role an authority that issues has to be valid still
 */
export async function inspectAuthority(
  pair: KeyedPem,
  role: "issuing" | "accepted",
  { now, keys }: Inspection,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const certificate = attempt(() => readCertificate(pair.crt));
  const all = attempt(() => readCertificates(pair.crt)); // what is trusted is every block
  if (certificate instanceof CodedError || all instanceof CodedError) {
    const { message } = certificate instanceof CodedError ? certificate : (all as CodedError);
    findings.push({ field: "crt", message, kind: "unreadable" });
  } else for (const each of all) findings.push(...fitness(each, role, now));
  if (pair.key === "") return findings;
  const key = await inspectKey(pair.key, keys);
  if (!("publicKey" in key)) return [...findings, key];
  if (!(certificate instanceof CodedError) && !sameKey(certificate.publicKey, key.publicKey))
    findings.push({
      field: "key",
      message: "does not match the certificate beside it",
      kind: "unfit",
    });
  return findings;
}

/** Reads a private key, or tells why it cannot be read. */
export async function inspectKey(pem: string, keys: KeyProvider): Promise<PrivateKey | Finding> {
  if (pem === REDACTED) return unreadableKey(`is taken out (${REDACTED}): put the key itself here`);
  try {
    const key = await keys.readKey(pem);
    const problem = keyLabelProblem(pem, key);
    return problem === undefined ? key : unreadableKey(problem);
  } catch (error) {
    if (error instanceof CodedError) return unreadableKey(error.message);
    throw error;
  }
}

/** As {@link inspectKey}; Kubernetes signs its tokens with RSA and ECDSA keys only. */
export async function inspectServiceAccountKey(
  pem: string,
  keys: KeyProvider,
): Promise<PrivateKey | Finding> {
  const key = await inspectKey(pem, keys);
  return "publicKey" in key && key.algorithm === "Ed25519"
    ? unreadableKey("is of type Ed25519; Kubernetes signs tokens with RSA and ECDSA keys only")
    : key;
}

/** The labels that name an algorithm, and the keys that they are for (talos-pki.md §2.5). */
const labels: Readonly<Record<string, RegExp>> = {
  "EC PRIVATE KEY": /^P-/,
  "ED25519 PRIVATE KEY": /^Ed25519$/,
  "RSA PRIVATE KEY": /^RSA-/,
};

/**
 * Tells whether a key is of another type than its label says. Talos goes by the label; node:crypto
 * reads what is below it, whatever the label says.
 */
export function keyLabelProblem(pem: string, { algorithm }: PrivateKey): string | undefined {
  const label = keyLabel(readPem(pem));
  return label === undefined || (labels[label]?.test(algorithm) ?? true)
    ? undefined
    : `the label ${JSON.stringify(label)} does not fit the key below it, which is of type ${algorithm}`;
}

/** Tells what is wrong with a PEM text by its form alone, where a private key belongs. */
export function keyFormProblem(pem: string): string | undefined {
  if (pem === REDACTED) return `is taken out (${REDACTED}): put the key itself here`;
  const blocks = attempt(() => readPem(pem));
  if (blocks instanceof CodedError) return blocks.message;
  const label = keyLabel(blocks);
  if (label === undefined) return "holds no PEM block; a private key belongs here";
  return label.endsWith("PRIVATE KEY")
    ? undefined
    : `found a PEM block ${JSON.stringify(label)} where a private key belongs`;
}

/** The label of the key; OpenSSL puts the parameters of its curve before it. */
const keyLabel = (blocks: readonly PemBlock[]): string | undefined =>
  blocks.find(({ label }) => label !== "EC PARAMETERS")?.label;

/** Tells what is wrong with a PEM text where a certificate belongs. */
export function certificateFormProblem(pem: string): string | undefined {
  const certificate = attempt(() => readCertificate(pem));
  return certificate instanceof CodedError ? certificate.message : undefined;
}

function* fitness(
  certificate: Certificate,
  role: "issuing" | "accepted",
  now: Instant,
): Generator<Finding> {
  const { isCa, notBefore, notAfter } = certificate;
  if (!isCa)
    yield {
      field: "crt",
      message: "is a leaf; the certificate of an authority belongs here",
      kind: "unfit",
    };
  else if (!mayIssue(certificate))
    yield {
      field: "crt",
      message: "may not sign certificates (keyUsage without keyCertSign)",
      kind: "unfit",
    };
  if (notAfter <= now)
    yield {
      field: "crt",
      message: `expired at ${rfc3339(notAfter)}`,
      kind: role === "issuing" ? "unfit" : "warning",
    };
  if (notBefore > now)
    yield { field: "crt", message: `is not valid before ${rfc3339(notBefore)}`, kind: "warning" };
}

const unreadableKey = (message: string): Finding => ({ field: "key", message, kind: "unreadable" });

function attempt<T>(read: () => T): T | CodedError {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
}
