/** What a listener identifies itself with, and whom it accepts. */
import { constants, createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { opensslKey } from "../rpc/openssl-key.ts";
import { ListenerMaterialError } from "./errors.ts";

/** PEM texts. */
export interface ListenerMaterial {
  readonly key: string;
  /** The leaf first. */
  readonly cert: string;
  /** Accepted authorities; none accepts nobody. */
  readonly ca: readonly string[];
}

/**
 * Checks material before anything is done with it, and makes TLS options of it. All of them at once,
 * for a context that is set anew resets what it is not given.
 *
 * @throws {ListenerMaterialError} when something does not parse, or the key is not the certificate's
 */
export function secureContextOptions({ key, cert, ca }: ListenerMaterial): SecureContextOptions {
  const options: SecureContextOptions = {
    key: opensslKey(key),
    cert,
    ca: [...ca],
    minVersion: "TLSv1.2",
    allowPartialTrustChain: true, // an accepted authority is a root here, whoever issued it
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  const leaf = attempt("the certificate does not parse", () => new X509Certificate(cert));
  const own = attempt("the key does not parse", () => createPrivateKey(opensslKey(key)));
  for (const [index, pem] of ca.entries())
    attempt(`accepted authority ${index + 1} does not parse`, () => new X509Certificate(pem));
  if (!leaf.checkPrivateKey(own))
    throw new ListenerMaterialError(
      `the key is not the one of the certificate ${leaf.subject}: a listener needs the two together`,
    );
  attempt("TLS refuses the material", () => createSecureContext(options));
  return options;
}

function attempt<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ListenerMaterialError(`listener: ${problem}`, { cause });
  }
}
