/** Tells a cluster that a node is a member of it no longer. */
import { trustedCAs } from "#controllers";
import { Endpoint, NodeCertificate, OSRoot } from "#resources";
import { type Clock, type Logger, type Random, seconds } from "#runtime";
import type { Store } from "#runtime/store";
import { status } from "@grpc/grpc-js";
import { Empty } from "../rpc/gen/google/protobuf/empty.ts";
import { CallFailureError, isRecordless, NotLeftError } from "./errors.ts";
import type { CallSigner } from "./port.ts";
import { askAround, type Refusal, RoundsOverError } from "./rounds.ts";

/** How long one who is told has. */
const ATTEMPT = seconds(10);

export interface LeaveOptions {
  readonly store: Store;
  readonly callSigner: CallSigner;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Makes the capability to leave. A node that nobody has on record has nobody to tell.
 *
 * @returns a function that throws {@link NotLeftError} when no control plane took it
 */
export const clusterLeave =
  ({ store, callSigner, clock, random, log }: LeaveOptions) =>
  async (): Promise<void> => {
    const held = (await store.get(NodeCertificate, "node"))?.spec;
    const root = (await store.get(OSRoot, "os"))?.spec;
    if (!held?.identity || !root) return;
    const { identity, apiPort } = held;
    const call = { method: "Leave", identity, apiPort, timeout: ATTEMPT } as const;
    const request = Empty.encode({}).finish();
    const acceptedCAs = trustedCAs(root, held);
    const endpoints = await store.list(Endpoint);
    const hosts = new Set(endpoints.flatMap(({ spec }) => [...spec.addresses, ...spec.hosts]));
    if (hosts.size === 0) throw new NotLeftError("");
    const tell = (host: string, _: number, ending: AbortSignal) =>
      callSigner({ ...call, request, acceptedCAs, host, signal: ending });
    const onFailure = (refusal: Refusal) => {
      log.warn({ component: "machined", reason: wordsOf(refusal) }, "the cluster was not told");
    };
    try {
      const { signal } = new AbortController();
      // Who asked for this waits: each host is tried once.
      await askAround([...hosts], tell, { clock, random, signal, onFailure, isFinal: () => true });
    } catch (error) {
      if (!(error instanceof RoundsOverError)) throw error;
      if (!error.refusals.some((refusal) => isGone(refusal.error)))
        throw new NotLeftError(error.refusals.map(wordsOf).join("; "));
    }
  };

/** Whether the cluster says that it does not have the node on record, or nobody. */
const isGone = (error: unknown): boolean =>
  isRecordless(error) ||
  (error instanceof CallFailureError &&
    error.status === status.PERMISSION_DENIED &&
    error.message.includes("is no member of this cluster"));

const wordsOf = ({ host, error }: Refusal): string =>
  `${host}: ${error instanceof Error ? error.message : String(error)}`;
