/** How a node calls signers, whatever its calls travel by: gRPC, or the network of a simulation. */
import type { Certificate, KeyedPem } from "#pki";

/** The calls: Talos' own, that of a new member, and those of a member. */
export type SignerMethod = "Certificate" | "Join" | "Renew" | "Report" | "Leave";

/** One call. */
export interface SignerCall {
  readonly method: SignerMethod;
  /** A name or an address, which the server's certificate has to be for. */
  readonly host: string;
  /** Encoded message. */
  readonly request: Uint8Array;
  /** Of `Certificate` and `Join`. */
  readonly token?: string;
  /** Who calls; of members. */
  readonly identity?: KeyedPem;
  /** Where apid of a signer listens, for members; 0 where that is not known. */
  readonly apiPort: number;
  /** Nobody whose certificate is under none of these is told anything. */
  readonly acceptedCAs: readonly Certificate[];
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Makes a call; it resolves with the encoded answer.
 *
 * It fails with CallFailureError, or with anything else where nobody answered.
 */
export type CallSigner = (call: SignerCall) => Promise<Uint8Array>;

/** What a member is told for as long as it listens, and by whom. */
export type WatchCall = Pick<
  SignerCall,
  "host" | "identity" | "apiPort" | "acceptedCAs" | "signal"
>;

/** The encoded messages of `Watch`, as they come; it ends with the signal, and fails as calls do. */
export type WatchSigner = (call: WatchCall) => AsyncIterable<Uint8Array>;
