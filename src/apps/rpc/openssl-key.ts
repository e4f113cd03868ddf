/**
 * A private key under a label that OpenSSL takes: Talos has one of its own for Ed25519, with PKCS #8
 * in it (talosctl-wire.md §1.1).
 */
export const opensslKey = (pem: string): string =>
  pem.replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY");
