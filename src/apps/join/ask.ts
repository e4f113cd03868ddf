/**
 * How a node gets its certificates: a member renews by its identity; who is none, or none any more,
 * joins by token; and a signer that keeps nobody on record is asked as Talos' workers ask
 * (talos-pki.md §7).
 */
import {
  type AskCertificate,
  type CertificateAnswer,
  type CertificateWish,
  JoinRefusedError,
} from "#controllers";
import { type IssueRequest, type KeyedPem, type KeyProvider, readCertificate } from "#pki";
import { type Clock, CodedError, type Logger, type Random, seconds } from "#runtime";
import {
  JoinRequest,
  JoinResponse,
  RenewNodeRequest,
  RenewNodeResponse,
} from "../rpc/gen/node/node.ts";
import { CertificateRequest, CertificateResponse } from "../rpc/gen/security/security.ts";
import { answerOf, type CallTimes, plainAnswerOf } from "./answer.ts";
import {
  AnswerRefusedError,
  CallFailureError,
  isFinal,
  isRecordless,
  isTokenRefusal,
  isUnknownCaller,
  NotIssuedError,
  TokenRefusedError,
} from "./errors.ts";
import type { CallSigner, SignerCall, SignerMethod } from "./port.ts";
import { withProof } from "./proof.ts";
import { askAround, type Refusal, RoundsOverError } from "./rounds.ts";

/** How long one who is asked has. */
const ATTEMPT = seconds(10);

export interface AskOptions {
  readonly callSigner: CallSigner;
  readonly keys: Pick<KeyProvider, "readKey">;
  readonly issueRequest: IssueRequest;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Told of each attempt: why it failed, or null when it did not. */
  readonly onAttempt?: (problem: string | null) => void;
}

/**
 * Makes the capability to ask.
 *
 * @returns a function that throws {@link TokenRefusedError}, {@link JoinRefusedError}, and
 *   {@link NotIssuedError} when nobody has answered within a minute
 */
export function certificateAsker(options: AskOptions): AskCertificate {
  const { clock, random, log, onAttempt = () => undefined } = options;
  return async (wish, signal) => {
    const onFailure = (refusal: Refusal) => {
      const reason = wordsOf(refusal);
      log.warn({ component: "apid", reason }, "no certificate was issued");
      onAttempt(reason);
    };
    try {
      const answer = await askAround(
        wish.endpoints,
        (host, round, ending) => new Asking(wish, { ...options, host, signal: ending }).ask(round),
        { clock, random, signal, onFailure, isFinal },
      );
      onAttempt(null);
      return answer;
    } catch (error) {
      if (!(error instanceof RoundsOverError)) throw error;
      throw failureOf(error.refusals);
    }
  };
}

interface AskingOptions extends AskOptions {
  readonly host: string;
  readonly signal: AbortSignal;
}

/** One signer that is asked, in the ways that there are. */
class Asking {
  readonly #wish: CertificateWish;
  readonly #options: AskingOptions;

  constructor(wish: CertificateWish, options: AskingOptions) {
    this.#wish = wish;
    this.#options = options;
  }

  async ask(round: number): Promise<CertificateAnswer> {
    const { identity, now } = this.#wish;
    if (identity === null || hasEnded(identity, now)) return this.#byToken();
    try {
      return await this.#renew(identity);
    } catch (error) {
      // It may be the identity that is not taken: that is no answer, but the end of the connection.
      const isNobody = isUnknownCaller(error) || isRecordless(error);
      if (!isNobody && (round === 0 || error instanceof AnswerRefusedError)) throw error;
      return await this.#byToken().catch((also: unknown) => {
        if (isUnknownCaller(error)) throw bothWays(error, also);
        throw isNobody || isFinal(also) ? also : error; // a refusal for good says more than a hang-up
      });
    }
  }

  async #byToken(): Promise<CertificateAnswer> {
    try {
      return await this.#join();
    } catch (error) {
      if (!isRecordless(error)) throw error;
      return this.#plain();
    }
  }

  async #renew(identity: KeyedPem): Promise<CertificateAnswer> {
    const request = RenewNodeRequest.encode({ signing: this.#signing() }).finish();
    const { bytes, times } = await this.#call("Renew", request, { identity });
    const { issued } = decoded(() => RenewNodeResponse.decode(bytes));
    return answerOf(issued, this.#wish, times);
  }

  async #join(): Promise<CertificateAnswer> {
    const { nodeId, identity: former, token } = this.#wish;
    const { identityKey } = this.#wish.request;
    const empty = { formerCrt: Buffer.alloc(0), formerSignature: Buffer.alloc(0) };
    const request = { signing: this.#signing(), nodeId, ...empty };
    const proven = await withProof(request, { former, identityKey }, this.#options.keys);
    const { bytes, times } = await this.#call("Join", JoinRequest.encode(proven).finish(), {
      token,
    });
    const { issued } = decoded(() => JoinResponse.decode(bytes));
    return answerOf(issued, this.#wish, times);
  }

  /** Who asks so has a new key each time. */
  async #plain(): Promise<CertificateAnswer> {
    const { names, algorithm, token } = this.#wish;
    const { key, csr } = await this.#options.issueRequest({ algorithm, ...names });
    const request = CertificateRequest.encode({ csr: Buffer.from(csr) }).finish();
    const { bytes, times } = await this.#call("Certificate", request, { token });
    const { ca, crt } = decoded(() => CertificateResponse.decode(bytes));
    return plainAnswerOf({ ca, crt, key }, this.#wish, times);
  }

  #signing() {
    const { requestId, servingCsr, identityCsr } = this.#wish.request;
    return {
      requestId,
      servingCsr: Buffer.from(servingCsr),
      identityCsr: Buffer.from(identityCsr),
    };
  }

  async #call(
    method: SignerMethod,
    request: Uint8Array,
    caller: Pick<SignerCall, "token" | "identity">,
  ): Promise<{ readonly bytes: Uint8Array; readonly times: CallTimes }> {
    const { callSigner, host, signal, clock } = this.#options;
    const { apiPort, acceptedCAs } = this.#wish;
    const began = clock.now();
    const call = { method, request, host, apiPort, acceptedCAs, timeout: ATTEMPT, signal };
    const bytes = await callSigner({ ...call, ...caller });
    return { bytes, times: { began, ended: clock.now() } };
  }
}

/** A member that is not taken for one, and has no token either, hears of both. */
const bothWays = (renewal: unknown, joining: unknown): unknown =>
  joining instanceof CallFailureError
    ? new CallFailureError(joining.status, `${textOf(renewal)}; by token: ${joining.message}`)
    : joining;

/** One that cannot be read is of no use either. */
function hasEnded({ crt }: KeyedPem, now: number): boolean {
  try {
    return readCertificate(crt).notAfter < now;
  } catch (error) {
    if (error instanceof CodedError) return true;
    throw error;
  }
}

function decoded<Message>(decode: () => Message): Message {
  try {
    return decode();
  } catch (cause) {
    throw new AnswerRefusedError("the answer is no message of its kind", { cause });
  }
}

/** What somebody else says goes into logs and resources. */
const WORDS_MAX = 500;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const wordsOf = ({ host, error }: Refusal): string => {
  const reason = textOf(error);
  // eslint-disable-next-line no-control-regex -- they are what must not get there
  const plain = reason.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  return `${host}: ${plain.length > WORDS_MAX ? `${plain.slice(0, WORDS_MAX)}…` : plain}`;
};

/** A refusal for good says more than silence. */
function failureOf(refusals: readonly Refusal[]): Error {
  const final = refusals.filter(({ error }) => isFinal(error));
  // In an order that stays, whoever was asked first.
  const words = (final.length > 0 ? final : refusals).map(wordsOf).sort();
  const reasons = [...new Set(words)].join("; ");
  if (final.some(({ error }) => isTokenRefusal(error))) return new TokenRefusedError(reasons);
  if (final.length > 0) return new JoinRefusedError(reasons);
  return new NotIssuedError(`no certificate was issued: ${reasons || "nobody was asked in time"}`);
}
