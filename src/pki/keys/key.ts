/** The port behind which private keys live: software, hardware or seeded. */

/** A kind of key; RSA of any size is read. */
export type KeyAlgorithm = "Ed25519" | "P-256" | "P-384" | "P-521" | `RSA-${number}`;

/** A signature algorithm by the name that Go prints. */
export type SignatureAlgorithm =
  | "Ed25519"
  | "ECDSA-SHA256"
  | "ECDSA-SHA384"
  | "ECDSA-SHA512"
  | "SHA256-RSA"
  | "SHA384-RSA"
  | "SHA512-RSA";

/** A public key. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo in DER, RFC 5280 §4.1.2.7. */
  readonly spki: Uint8Array;
}

/** A private key that signs; the key itself may be elsewhere. */
export interface PrivateKey {
  readonly algorithm: KeyAlgorithm;
  readonly publicKey: PublicKey;
  /**
   * Signs `data`, by default with the usual algorithm of the key's type.
   *
   * @throws {AlgorithmMismatchError} when the key cannot sign by `algorithm`
   */
  sign(data: Uint8Array, algorithm?: SignatureAlgorithm): Promise<Uint8Array>;
  /** The key in PEM with Talos' labels, talos-pki.md §2.5. */
  pem(): Promise<string>;
}

/** Makes and reads private keys. */
export interface KeyProvider {
  /** @throws {AlgorithmUnsupportedError} when keys of this kind are not made here */
  issueKey(algorithm: KeyAlgorithm): Promise<PrivateKey>;
  /**
   * Reads a key with any of the labels of talos-pki.md §2.5.
   *
   * @throws {PemError} when there is no key in the text
   * @throws {PemLabelError} when the text holds something else
   * @throws {KeyEncryptedError} when the key is encrypted
   * @throws {KeyParseError} when the key is damaged
   * @throws {AlgorithmUnsupportedError} when the key is of a kind that is not in the tables
   */
  readKey(pem: string, source?: string): Promise<PrivateKey>;
}
