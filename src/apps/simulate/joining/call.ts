/**
 * Calls over the simulated network, which has no TLS: what a connection would have proven is sent along.
 * Who calls as a member signs each call with the key of its certificate, and who answers shows what it
 * serves with.
 */
import type { status } from "@grpc/grpc-js";
import { createPrivateKey, sign, verify, X509Certificate } from "node:crypto";
import type { KeyedPem } from "#pki";
import { sha256, type Method } from "./record.ts";

/** The service that it all goes to. */
export const SERVICE = "trustd";

/** A call as it travels. */
export interface Call {
  readonly method: Method;
  /** Encoded message. */
  readonly request: Uint8Array;
  readonly token?: string;
  readonly identity?: { readonly crt: string; readonly proof: Uint8Array };
}

/** An answer as it travels, and PEM of the server's certificate. */
export type Answer = { readonly server: string } & (
  { readonly response: Uint8Array } | { readonly status: status; readonly reason: string }
);

const signedText = (method: Method, request: Uint8Array): Buffer =>
  Buffer.from(`trustplane simulation ${method} ${sha256(request)}`);

/** What shows that somebody has the key of a certificate; only Ed25519 keys, as here all have. */
export const proofBy = ({ key }: KeyedPem, method: Method, request: Uint8Array): Uint8Array =>
  new Uint8Array(sign(null, signedText(method, request), privateKeyOf(key)));

/** Whether the certificate's own key has signed the call. */
export const isProven = ({ method, request, identity }: Call): boolean =>
  identity !== undefined &&
  verify(
    null,
    signedText(method, request),
    new X509Certificate(identity.crt).publicKey,
    identity.proof,
  );

/** Talos' label of Ed25519 keys is one that OpenSSL does not know. */
const privateKeyOf = (pem: string) =>
  createPrivateKey(pem.replaceAll("ED25519 PRIVATE", "PRIVATE"));

/** Writes a call as it travels. */
export const packCall = ({ request, identity, ...call }: Call): Uint8Array =>
  packed({
    ...call,
    request: textOf(request),
    ...(identity && { identity: { ...identity, proof: textOf(identity.proof) } }),
  });

/** Reads one. */
export function unpackCall(bytes: Uint8Array): Call {
  const { request, identity, ...call } = unpacked(bytes) as Packed<Call>;
  return {
    ...call,
    request: bytesOf(request),
    ...(identity && { identity: { ...identity, proof: bytesOf(identity.proof) } }),
  };
}

/** Writes an answer as it travels. */
export const packAnswer = (answer: Answer): Uint8Array =>
  packed("response" in answer ? { ...answer, response: textOf(answer.response) } : answer);

/** Reads one. */
export function unpackAnswer(bytes: Uint8Array): Answer {
  const answer = unpacked(bytes) as Packed<Answer>;
  return "response" in answer ? { ...answer, response: bytesOf(answer.response) } : answer;
}

/** Bytes stand as base64. */
type Packed<Value> = Value extends Uint8Array
  ? string
  : Value extends object
    ? { readonly [Key in keyof Value]: Packed<Value[Key]> }
    : Value;

const packed = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const unpacked = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
