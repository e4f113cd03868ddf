/** Reads what nodes send. */
import { hash } from "node:crypto";
import {
  AlgorithmUnsupportedError,
  CsrRejectedError,
  CsrSignatureError,
  PemError,
  PemLabelError,
  readCertificate,
  readCsr,
  readPem,
  writePem,
  type Certificate,
  type Csr,
} from "#pki";
import { CodedError } from "#runtime";
import type { JoinRequest, SigningRequest } from "../rpc/gen/node/node.ts";
import {
  CsrUndecodableError,
  CsrUnparsableError,
  CsrUnsignableError,
  SigningRequestError,
} from "./errors.ts";

/** What a node asks to have signed. */
export interface Asked {
  readonly serving: Csr;
  readonly identity: Csr;
}

/**
 * Reads both requests for certificates.
 *
 * @throws {SigningRequestError} {@link CsrUndecodableError} {@link CsrUnparsableError}
 *   {@link CsrUnsignableError}
 */
export async function readAsked({ servingCsr, identityCsr }: SigningRequest): Promise<Asked> {
  return {
    serving: await readRequest(servingCsr, "servingCsr"),
    identity: await readRequest(identityCsr, "identityCsr"),
  };
}

/** Larger ones are not looked at: no node has so many names. */
const CSR_BYTES_MAX = 32 * 1024;

/**
 * Reads one, and verifies its signature. As in Talos, the label of the PEM block does not matter.
 *
 * @param field where it stands, when that has to be told
 */
export async function readRequest(bytes: Uint8Array, field?: string): Promise<Csr> {
  const source = field ?? "certificate request";
  if (bytes.length > CSR_BYTES_MAX)
    throw new CsrUnparsableError(`${source}: it has more than ${CSR_BYTES_MAX} bytes`);
  const text = Buffer.from(bytes).toString("latin1");
  try {
    return await readCsr(text, source).catch((error: unknown) => {
      if (!(error instanceof PemLabelError)) throw error;
      const [block] = readPem(text, source);
      return readCsr(writePem("CERTIFICATE REQUEST", block?.der ?? bytes), source);
    });
  } catch (error) {
    throw error instanceof CodedError ? refusalOf(error) : error;
  }
}

function refusalOf(error: CodedError): CodedError {
  if (error instanceof PemError || error instanceof PemLabelError) return new CsrUndecodableError();
  if (error instanceof CsrSignatureError)
    return new CsrUnsignableError(error.message, { cause: error });
  if (error instanceof CsrRejectedError || error instanceof AlgorithmUnsupportedError)
    return new CsrUnparsableError(error.message, { cause: error });
  return error;
}

const REQUEST_ID = /^[0-9a-f]{32}$/;
const NODE_ID = /^[0-9a-z]{44}$/;

/** @throws {SigningRequestError} */
export function signingOf(signing: SigningRequest | undefined): SigningRequest {
  if (signing === undefined) throw new SigningRequestError("signing", "is missing");
  if (!REQUEST_ID.test(signing.requestId))
    throw new SigningRequestError("requestId", "has to be 32 lower hex digits");
  return signing;
}

/** @throws {SigningRequestError} */
export function nodeIdOf({ nodeId }: JoinRequest): string {
  if (!NODE_ID.test(nodeId))
    throw new SigningRequestError("nodeId", "has to be 44 digits and lower case letters");
  return nodeId;
}

/** What is read is kept in mind for a while, so that it had better be small. */
const FORMER_BYTES_MAX = 16 * 1024;

/** @throws {SigningRequestError} */
export function formerOf({ formerCrt }: JoinRequest): Certificate | undefined {
  if (formerCrt.length === 0) return undefined;
  if (formerCrt.length > FORMER_BYTES_MAX)
    throw new SigningRequestError("formerCrt", `has more than ${FORMER_BYTES_MAX} bytes`);
  try {
    return readCertificate(Buffer.from(formerCrt).toString("latin1"), "formerCrt");
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new SigningRequestError("formerCrt", error.message);
  }
}

/**
 * What a request is known by when it is repeated. What shows who asks is not part of it: a signature
 * may be another one each time.
 *
 * @param asker the hash of the token, or the id of the member
 */
export function digestOfRequest(
  method: "Join" | "Renew",
  asker: string,
  nodeId: string,
  { requestId, servingCsr, identityCsr }: SigningRequest,
): string {
  const parts = [method, asker, nodeId, requestId, servingCsr, identityCsr];
  const digests = parts.map((part) => hash("sha256", part, "buffer"));
  return hash("sha256", Buffer.concat(digests), "hex");
}
