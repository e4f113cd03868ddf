/** Looks whether what a signer answered is what was asked for, and is to be believed. */
import { type CertificateAnswer, type CertificateWish, hasNames } from "#controllers";
import {
  type Certificate,
  commonName,
  formatName,
  type KeyedPem,
  mayIssue,
  organizations,
  readCertificates,
  readKeyed,
  SKEW,
  verifyChain,
} from "#pki";
import { CodedError, type Instant, instantOf, seconds } from "#runtime";
import type { Issued } from "../rpc/gen/node/node.ts";
import { AnswerRefusedError } from "./errors.ts";

/** When a call was made, and when it was answered, by this node's clock. */
export interface CallTimes {
  readonly began: Instant;
  readonly ended: Instant;
}

/** Of nodes that are on record; what else there may be in an identity is not believed. */
const ROLE = "trustplane:node";
/** A beginning that is within this of what is usual says nothing of the signer's clock. */
const COARSE = seconds(30);

/**
 * Takes up what a signer of members issued.
 *
 * @throws {AnswerRefusedError}
 */
export async function answerOf(
  issued: Issued | undefined,
  wish: CertificateWish,
  times: CallTimes,
): Promise<CertificateAnswer> {
  if (issued === undefined) throw new AnswerRefusedError("the answer is empty");
  const time = issued.time ? instantOf(issued.time.getTime()) : null;
  const acceptedCAs = authoritiesIn(issued.ca);
  const context = { wish, acceptedCAs, time: time ?? times.ended };
  const { servingKey, identityKey } = wish.request;
  const serving = { crt: textOf(issued.servingCrt), key: servingKey };
  const identity = { crt: textOf(issued.identityCrt), key: identityKey };
  await checkServing(serving, context);
  const certificate = await checkLeaf(identity, "clientAuth", context);
  const roles = organizations(certificate.subject);
  if (commonName(certificate.subject) !== wish.nodeId || roles.join() !== ROLE)
    throw new AnswerRefusedError(
      `the identity that was issued is not this node's: ${formatName(certificate.subject)}`,
    );
  return {
    serving,
    identity,
    acceptedCAs: acceptedCAs.map(({ pem }) => ({ crt: pem })),
    machineType: issued.machineType === "controlplane" ? "controlplane" : "worker",
    apiPort: issued.apiPort,
    peerSkew: time === null ? null : skewOf(time, times),
  };
}

/**
 * Takes up what a signer issued that keeps nobody on record. Who the node was for others stays what it
 * was.
 *
 * @throws {AnswerRefusedError}
 */
export async function plainAnswerOf(
  issued: { readonly ca: Uint8Array; readonly crt: Uint8Array; readonly key: string },
  wish: CertificateWish,
  times: CallTimes,
): Promise<CertificateAnswer> {
  const acceptedCAs = authoritiesIn(issued.ca);
  const serving = { crt: textOf(issued.crt), key: issued.key };
  const { notBefore } = await checkServing(serving, { wish, acceptedCAs, time: times.ended });
  return {
    serving,
    identity: wish.identity,
    acceptedCAs: acceptedCAs.map(({ pem }) => ({ crt: pem })),
    machineType: "",
    apiPort: 0,
    peerSkew: coarseSkewOf(notBefore, times),
  };
}

/** How far a clock is ahead of this one: it was read at some time during the call. */
const skewOf = (time: Instant, { began, ended }: CallTimes): number =>
  Math.round(time - (began + ended) / 2);

/**
 * What the beginning of a certificate says: it is the time of signing, or up to the usual backdating
 * before it.
 */
function coarseSkewOf(notBefore: Instant, times: CallTimes): number | null {
  const skew = skewOf(notBefore, times);
  return skew >= -SKEW - COARSE && skew <= COARSE ? null : skew;
}

interface Context {
  readonly wish: CertificateWish;
  readonly acceptedCAs: readonly Certificate[];
  /** Of the signer, as far as it is known. */
  readonly time: Instant;
}

async function checkServing(pem: KeyedPem, context: Context): Promise<Certificate> {
  const certificate = await checkLeaf(pem, "serverAuth", context);
  if (!hasNames(certificate, context.wish.names))
    throw new AnswerRefusedError(
      "the certificate that was issued is for other names than were asked for: " +
        [formatName(certificate.subject), ...certificate.dnsNames, ...certificate.ipAddresses].join(
          ", ",
        ),
    );
  return certificate;
}

/** For our key, from an accepted authority, for its purpose, and in force. */
async function checkLeaf(
  pem: KeyedPem,
  usage: "serverAuth" | "clientAuth",
  { wish, acceptedCAs, time }: Context,
): Promise<Certificate> {
  const { certificate, keyMatches } = readPair(pem);
  if (!keyMatches)
    throw new AnswerRefusedError("the certificate that was issued is for another key than ours");
  if (certificate.extKeyUsages.join() !== usage)
    throw new AnswerRefusedError(
      `the certificate that was issued is for ${certificate.extKeyUsages.join(", ") || "any use"}, ` +
        `not for ${usage}`,
    );
  // The signer's clock counts, where it is known: whether ours is right is not the question here.
  const now = instantOf(Math.max(certificate.notBefore, Math.min(time, certificate.notAfter)));
  const anchors = [...wish.acceptedCAs, ...acceptedCAs];
  const verdict = await verifyChain({ leaf: certificate, anchors, now, usage });
  if (!verdict.valid)
    throw new AnswerRefusedError(`the certificate that was issued is not good: ${verdict.reason}`);
  return certificate;
}

function readPair(pem: KeyedPem) {
  try {
    return readKeyed(pem);
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause;
    throw new AnswerRefusedError(
      `the certificate that was issued cannot be read: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

/** @throws {AnswerRefusedError} when there is none */
function authoritiesIn(bundle: Uint8Array): Certificate[] {
  try {
    const authorities = readCertificates(textOf(bundle)).filter(mayIssue);
    if (authorities.length > 0) return authorities;
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause;
    throw new AnswerRefusedError(`the authorities in the answer cannot be read: ${cause.message}`, {
      cause,
    });
  }
  throw new AnswerRefusedError("there is no authority in the answer");
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
