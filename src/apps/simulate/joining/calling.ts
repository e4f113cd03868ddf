/** How simulated nodes call their control plane: over the simulated network, and verifying who answers. */
import { status } from "@grpc/grpc-js";
import { type Certificate, type KeyedPem, readCertificate, verifyChain } from "#pki";
import { CodedError } from "#runtime";
import type { Machine } from "#runtime/simulation";
import { packCall, proofBy, SERVICE, unpackAnswer } from "./call.ts";
import { addressOf, CONTROL_PLANE } from "./cluster.ts";
import type { Method } from "./record.ts";

/** Who was called has answered, and refused. */
export class SimulatedRefusalError extends CodedError {
  readonly code = "ERR_SIMULATED_REFUSAL";
  readonly status: status;
  constructor(code: status, reason: string) {
    super(reason);
    this.status = code;
  }
}

/** Who was called is not who it should be. */
export class SimulatedServerError extends CodedError {
  readonly code = "ERR_SIMULATED_SERVER";
}

/** What a node calls with. */
export interface Calling {
  readonly method: Method;
  readonly host: string;
  readonly request: Uint8Array;
  readonly token?: string | undefined;
  readonly identity?: KeyedPem | undefined;
  /** Default: whoever answers is believed. */
  readonly acceptedCAs?: readonly Certificate[];
  readonly timeout: number;
}

/**
 * Calls.
 *
 * @returns the encoded answer
 * @throws {SimulatedRefusalError} {@link SimulatedServerError}, or what the network throws
 */
export async function callControlPlane(
  { network, clock }: Pick<Machine, "network" | "clock">,
  { method, host, request, token, identity, acceptedCAs, timeout }: Calling,
): Promise<Uint8Array> {
  if (host !== addressOf(CONTROL_PLANE) && host !== CONTROL_PLANE)
    throw new SimulatedServerError(`nobody listens at ${host}`);
  const bytes = packCall({
    method,
    request,
    ...(token !== undefined && { token }),
    ...(identity && { identity: { crt: identity.crt, proof: proofBy(identity, method, request) } }),
  });
  const answer = unpackAnswer(await network.call(CONTROL_PLANE, SERVICE, bytes, timeout));
  if (acceptedCAs !== undefined) {
    const verdict = await verifyChain({
      leaf: readCertificate(answer.server),
      anchors: acceptedCAs,
      now: clock.now(),
      usage: "serverAuth",
    });
    if (!verdict.valid) throw new SimulatedServerError(verdict.reason);
  }
  if ("response" in answer) return answer.response;
  throw new SimulatedRefusalError(answer.status, answer.reason);
}
