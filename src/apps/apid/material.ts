/** What a listener identifies itself with, and whom it accepts. */
import { mayIssue, readCertificate, type Certificate } from "#pki";
import { constants, createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { opensslKey } from "../rpc/openssl-key.ts";
import { ListenerMaterialError } from "./errors.ts";

/** PEM texts. */
export interface ListenerMaterial {
  readonly key: string;
  /** The leaf first. */
  readonly cert: string;
  /** Accepted authorities, each text one or several of them; none accepts nobody. */
  readonly ca: readonly string[];
  /** What the node is to other nodes; without it, it passes nothing on. */
  readonly client?: { readonly crt: string; readonly key: string };
}

/** Material that was found good. */
export interface CheckedMaterial {
  /** All options at once, for a context that is set anew resets what it is not given. */
  readonly context: SecureContextOptions;
  /** Those that may issue certificates; those that end last come first. */
  readonly authorities: readonly Certificate[];
  /** What is wrong with accepted authorities that are left out. */
  readonly leftOut: readonly string[];
}

/**
 * Checks material before anything is done with it, and makes TLS options of it.
 *
 * @throws {ListenerMaterialError} when key or certificate does not parse, they are not each other's,
 *   or of the accepted authorities that are given none is usable
 */
export function checkMaterial({ key, cert, ca }: ListenerMaterial): CheckedMaterial {
  const { authorities, leftOut } = readAuthorities(ca);
  if (authorities.length === 0 && leftOut.length > 0)
    throw new ListenerMaterialError(
      `listener: no accepted authority is usable: ${leftOut.join("; ")}`,
    );
  const context: SecureContextOptions = {
    key: opensslKey(key),
    cert,
    ca: authorities.map(({ pem }) => pem),
    minVersion: "TLSv1.2",
    allowPartialTrustChain: true, // an accepted authority is a root here, whoever issued it
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  const leaf = attempt("the certificate does not parse", () => new X509Certificate(cert));
  const own = attempt("the key does not parse", () => createPrivateKey(opensslKey(key)));
  if (!leaf.checkPrivateKey(own))
    throw new ListenerMaterialError(
      `the key is not the one of the certificate ${leaf.subject}: a listener needs the two together`,
    );
  attempt("TLS refuses the material", () => createSecureContext(context));
  return { context, authorities, leftOut };
}

/** Reads each block by itself: a damaged one does not take others along. */
function readAuthorities(texts: readonly string[]): Omit<CheckedMaterial, "context"> {
  const authorities = new Map<string, Certificate>();
  const leftOut: string[] = [];
  const blocks = texts.flatMap((text) =>
    text.split(/(?=-----BEGIN )/).filter(
      (part, i, { length }) =>
        // Text before the first block is a comment.
        part.startsWith("-----BEGIN ") || (i === 0 && length === 1 && part.trim() !== ""),
    ),
  );
  for (const [index, block] of blocks.entries()) {
    const name = `accepted authority ${index + 1}`;
    try {
      const certificate = readCertificate(block, name);
      new X509Certificate(certificate.pem); // TLS has to read it too
      if (mayIssue(certificate)) authorities.set(certificate.fingerprint, certificate);
      else leftOut.push(`${name}: the certificate is not that of an authority`);
    } catch (error) {
      leftOut.push(error instanceof Error ? error.message : String(error));
    }
  }
  const lastingFirst = [...authorities.values()].sort((a, b) => b.notAfter - a.notAfter);
  return { authorities: lastingFirst, leftOut };
}

function attempt<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ListenerMaterialError(`listener: ${problem}`, { cause });
  }
}
