/** What keys may be used for: keyUsage and extKeyUsage, RFC 5280 §4.2.1.3 and §4.2.1.12. */
import type { Certificate, KeyUsage } from "../certificate.ts";
import { extensionOids } from "../oids.ts";

/** The purpose that a chain is verified for. */
export type Usage = "serverAuth" | "clientAuth" | "any";

const ANY_EXT_KEY_USAGE = "2.5.29.37.0";

/** Tells whether keyUsage, where it is there, has the bit. */
export const allowsKeyUsage = (certificate: Certificate, usage: KeyUsage): boolean =>
  certificate.keyUsages.includes(usage) ||
  !certificate.extensions.some(({ oid }) => oid === extensionOids.keyUsage);

/**
 * Tells whether extKeyUsage, where it is there, has the purpose. On an authority it limits what is
 * below, as Go and OpenSSL have it.
 */
export const allowsUsage = ({ extKeyUsages }: Certificate, usage: Usage): boolean =>
  usage === "any" ||
  extKeyUsages.length === 0 ||
  extKeyUsages.includes(usage) ||
  extKeyUsages.includes(ANY_EXT_KEY_USAGE);
