/** Makes a new key, and asks for a certificate for it. */
import { issueCsr } from "./csr.ts";
import type { KeyAlgorithm, KeyProvider } from "./keys/key.ts";
import { buildName } from "./name.ts";

/** What a certificate is asked for; the signer has the last word. */
export interface NewRequest {
  readonly algorithm: KeyAlgorithm;
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** A private key and the request that it signed, both PEM. */
export interface KeyedRequest {
  readonly key: string;
  readonly csr: string;
}

/** Makes a key and a request for it. */
export type IssueRequest = (request: NewRequest) => Promise<KeyedRequest>;

/**
 * An issuer of requests.
 *
 * @returns a function that throws AlgorithmUnsupportedError and AltNameInvalidError
 */
export const requestIssuer =
  ({ keys }: { readonly keys: Pick<KeyProvider, "issueKey"> }): IssueRequest =>
  async ({ algorithm, commonName, dnsNames = [], ipAddresses = [] }) => {
    const key = await keys.issueKey(algorithm);
    const subject = buildName({ commonName });
    const csr = await issueCsr({ key, subject, dnsNames, ipAddresses });
    return { key: await key.pem(), csr };
  };
